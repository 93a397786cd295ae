// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.obmesos.rpc.Messages.BlockItem;
import org.obmesos.rpc.Messages.ResultItem;
import org.obmesos.rpc.Messages.TaskItem;
import org.obmesos.task.Block;
import org.obmesos.task.Exit;
import org.obmesos.task.InvalidBlockException;
import org.obmesos.task.Limits;
import org.obmesos.task.Needs;
import org.obmesos.task.Origin;
import org.obmesos.task.Program;
import org.obmesos.task.Resources;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;

/** Between the messages and the nouns. */
final class Items {
  private static final double DEFAULT_CPUS = 0.1;
  private static final double DEFAULT_MEM = 128;
  private static final double MAX_SECONDS = 1e9;

  private Items() {}

  /**
   * A block from its message.
   *
   * @throws InvalidBlockException if it asks for something that cannot be
   */
  static Block block(BlockItem item) {
    return new Block(
        new TaskId(item.id()),
        new Origin(or(item.name(), ""), or(item.document(), "")),
        program(item),
        new Needs(
            new Resources(
                or(item.cpus(), DEFAULT_CPUS),
                or(item.mem(), DEFAULT_MEM),
                or(item.disk(), 0.0),
                or(item.gpus(), 0.0)),
            or(item.after(), List.<String>of()).stream().map(TaskId::new).toList(),
            or(item.agent(), "")),
        new Limits(
            or(item.priority(), 0),
            seconds("kill-grace", item.killGrace(), Limits.DEFAULT.killGrace()),
            seconds("timeout", item.timeout(), Limits.DEFAULT.timeout()),
            or(item.tailLines(), Limits.DEFAULT.tailLines()),
            or(item.attempts(), Limits.DEFAULT.attempts())));
  }

  private static Program program(BlockItem item) {
    String body = or(item.body(), "");
    if (body.isEmpty() != or(item.bodyLater(), false)) {
      throw new InvalidBlockException(
          "body", body.isEmpty() ? "the block is empty" : "it comes now or later, not both");
    }
    return new Program(
        or(item.interpreter(), List.of("sh")),
        body,
        or(item.environment(), Map.of()),
        or(item.directory(), ""));
  }

  private static <T> T or(T value, T otherwise) {
    return value == null ? otherwise : value;
  }

  private static Duration seconds(String argument, Double value, Duration otherwise) {
    if (value == null) {
      return otherwise;
    }
    if (!(value >= 0 && value <= MAX_SECONDS)) {
      throw new InvalidBlockException(argument, "a number of seconds, at least 0");
    }
    return Duration.ofMillis(Math.round(value * 1000));
  }

  /** A task as a message, with what it wrote if that is given. */
  static TaskItem task(Task task, Optional<TaskResult> result, String location) {
    Exit exit = task.state().isTerminal() ? Exit.parse(task.status().message()) : Exit.UNKNOWN;
    Resources resources = task.block().resources();
    return new TaskItem(
        task.id().value(),
        task.block().origin().name(),
        task.block().origin().document(),
        task.state().name(),
        task.state().isTerminal(),
        task.placing().attempt(),
        task.placing().site().agentId(),
        task.placing().site().hostname(),
        resources.cpus(),
        resources.memMiB(),
        resources.diskMiB(),
        resources.gpus(),
        task.block().limits().priority(),
        task.times().submitted().toEpochMilli(),
        millis(task.times().started()),
        millis(task.times().ended()),
        exit.status().isPresent() ? exit.status().getAsInt() : null,
        exit.signal().orElse(null),
        task.status().reason(),
        task.status().message(),
        task.status().source(),
        task.block().needs().after().stream().map(TaskId::value).toList(),
        task.block().program().awaitsBody() ? true : null,
        result.map(found -> result(found, location)).orElse(null));
  }

  private static ResultItem result(TaskResult result, String location) {
    return new ResultItem(
        result.stdout(), result.stdoutBytes(), result.truncated(), result.stderrTail(), location);
  }

  private static Long millis(Optional<Instant> time) {
    return time.map(Instant::toEpochMilli).orElse(null);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import java.time.Instant;
import java.util.Optional;
import org.obmesos.rpc.Messages.AgentItem;
import org.obmesos.rpc.Messages.OfferItem;
import org.obmesos.rpc.Messages.ResultItem;
import org.obmesos.rpc.Messages.TaskItem;
import org.obmesos.sandbox.AgentFigures;
import org.obmesos.scheduler.Agent;
import org.obmesos.scheduler.OfferNote;
import org.obmesos.task.Exit;
import org.obmesos.task.Resources;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;

/** From the nouns to the messages. */
public final class Items {
  private Items() {}

  /** A task as a message, with what it wrote if that is given. */
  public static TaskItem task(Task task, Optional<TaskResult> result, String location) {
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
        task.placing().site().ports().isEmpty() ? null : task.placing().site().ports(),
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
        task.block().program().around().secrets().isEmpty() ? null : true,
        result.map(found -> result(found, location)).orElse(null));
  }

  private static ResultItem result(TaskResult result, String location) {
    return new ResultItem(
        result.stdout(), result.stdoutBytes(), result.truncated(), result.stderrTail(), location);
  }

  static AgentItem agent(Agent agent, AgentFigures figures) {
    return new AgentItem(
        agent.id(),
        agent.hostname(),
        agent.attributes(),
        agent.offered().cpus(),
        agent.offered().memMiB(),
        agent.offered().diskMiB(),
        agent.offered().gpus(),
        figures);
  }

  static OfferItem offer(OfferNote note) {
    return new OfferItem(
        note.time().toEpochMilli(),
        note.hostname(),
        note.role(),
        note.offered().cpus(),
        note.offered().memMiB(),
        note.offered().diskMiB(),
        note.offered().gpus(),
        note.ports(),
        note.said());
  }

  private static Long millis(Optional<Instant> time) {
    return time.map(Instant::toEpochMilli).orElse(null);
  }
}

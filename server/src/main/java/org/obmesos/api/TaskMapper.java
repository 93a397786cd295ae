// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.api;

import java.time.Instant;
import java.util.Optional;
import org.obmesos.api.Messages.AgentItem;
import org.obmesos.api.Messages.OfferItem;
import org.obmesos.api.Messages.ResultItem;
import org.obmesos.api.Messages.SessionState;
import org.obmesos.api.Messages.TaskItem;
import org.obmesos.sandbox.AgentMetrics;
import org.obmesos.scheduler.Agent;
import org.obmesos.scheduler.OfferNote;
import org.obmesos.scheduler.SessionSummary;
import org.obmesos.task.Exit;
import org.obmesos.task.Resources;
import org.obmesos.task.ResultKey;
import org.obmesos.task.ReusedResult;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.obmesos.task.TaskState;
import org.obmesos.task.Usage;

/** Converts domain records to messages. */
public final class TaskMapper {
  private TaskMapper() {}

  /** Converts a task without its result. */
  public static TaskItem task(Task task) {
    return task(task, Optional.empty(), "");
  }

  /** Converts a task, with its result and the location of its sandbox. */
  public static TaskItem task(Task task, Optional<TaskResult> result, String location) {
    // The message of a task that never ran can name the exit status of another.
    boolean ran = task.state().isTerminal() && task.state() != TaskState.ERROR;
    Exit exit = ran ? Exit.parse(task.status().message()) : Exit.UNKNOWN;
    Resources resources = task.block().resources();
    Usage usage = task.launch().usage();
    return new TaskItem(
        task.id().value(),
        task.block().origin().name(),
        task.block().origin().document(),
        task.block().origin().title().isEmpty() ? null : task.block().origin().title(),
        task.state().name(),
        task.state().isTerminal(),
        task.launch().attempt(),
        task.launch().location().agentId(),
        task.launch().location().hostname(),
        task.launch().location().ports().isEmpty() ? null : task.launch().location().ports(),
        resources.cpus(),
        resources.memMiB(),
        resources.diskMiB(),
        resources.gpus(),
        task.block().runPolicy().priority(),
        task.times().submitted().toEpochMilli(),
        millis(task.times().started()),
        millis(task.times().ended()),
        exit.status().isPresent() ? exit.status().getAsInt() : null,
        exit.signal().orElse(null),
        usage.wallSeconds().orElse(null),
        usage.cpuSeconds().orElse(null),
        usage.peakKiB().orElse(null),
        task.status().reason(),
        task.status().message(),
        task.status().source(),
        task.block().requirements().after().stream().map(TaskId::value).toList(),
        task.block().program().awaitsBody() ? true : null,
        task.block().program().executionEnvironment().secrets().isEmpty() ? null : true,
        task.block()
            .program()
            .executionEnvironment()
            .container()
            .map(container -> container.image().name())
            .orElse(null),
        task.launch().key().map(ResultKey::digest).orElse(null),
        task.launch().reused().map(earlier -> earlier.id().value()).orElse(null),
        task.launch().reused().map(ReusedResult::endedMillis).orElse(null),
        result.map(found -> result(found, location)).orElse(null));
  }

  private static ResultItem result(TaskResult result, String location) {
    return new ResultItem(
        result.stdout(), result.stdoutBytes(), result.truncated(), result.stderrTail(), location);
  }

  /** Converts a session. */
  public static SessionState session(SessionSummary session) {
    Task last = session.last();
    String name = last.block().origin().name();
    return new SessionState(
        session.name(),
        session.began().toEpochMilli(),
        last.launch().location().hostname(),
        session.busy(),
        last.id().value(),
        name.isEmpty() ? last.id().value() : name,
        last.block().session().orElseThrow().request(),
        last.launch().usage().peakKiB().orElse(null),
        session.lost().orElse(null));
  }

  /** Converts an agent. */
  public static AgentItem agent(Agent agent, AgentMetrics metrics) {
    return new AgentItem(
        agent.id(),
        agent.hostname(),
        agent.attributes(),
        agent.offered().cpus(),
        agent.offered().memMiB(),
        agent.offered().diskMiB(),
        agent.offered().gpus(),
        metrics);
  }

  /** Converts an offer. */
  public static OfferItem offer(OfferNote note) {
    return new OfferItem(
        note.time().toEpochMilli(),
        note.hostname(),
        note.role(),
        note.offered().cpus(),
        note.offered().memMiB(),
        note.offered().diskMiB(),
        note.offered().gpus(),
        note.ports(),
        note.outcome());
  }

  private static Long millis(Optional<Instant> time) {
    return time.map(Instant::toEpochMilli).orElse(null);
  }
}

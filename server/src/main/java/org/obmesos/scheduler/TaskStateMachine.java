// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.mesos.v1.Protos;
import org.obmesos.task.Block;
import org.obmesos.task.Retry;
import org.obmesos.task.ReusedResult;
import org.obmesos.task.Task;
import org.obmesos.task.TaskResult;
import org.obmesos.task.TaskState;
import org.obmesos.task.TaskStatus;

/**
 * The life of a task as a pure function: a task and an event give the next task and the effects
 * that follow once it is committed. The states are those of {@link TaskState}:
 *
 * <pre>
 * QUEUED --Reuse--> FINISHED, with the result of an earlier task
 * QUEUED --Launch--> STAGING --StatusUpdate--> STARTING, RUNNING, KILLING, UNREACHABLE
 *   ^                   |                          |
 *   +---never started---+                          | terminal StatusUpdate
 *   +---runs again (:attempts, :ensure)------------+
 *                                                  v
 *                                       ReadOutput, then --OutputRead--> terminal
 * </pre>
 *
 * <p>In a terminal state nothing changes any more.
 */
final class TaskStateMachine {
  /** An agent that is reactivated makes offers, and refuses tasks until it has drained. */
  private static final String DRAINING = "REASON_AGENT_DRAINING";

  private static final Duration DRAINING_PAUSE = Duration.ofSeconds(10);

  /** The largest number of launches in a row none of which has started the task. */
  static final int MAX_LAUNCHES = 10;

  private static final String KILLED_BEFORE_LAUNCH = "Killed before it was launched";
  private static final String AGENT = Protos.TaskStatus.Source.SOURCE_AGENT.name();
  private static final String MASTER = Protos.TaskStatus.Source.SOURCE_MASTER.name();
  private static final String OUT_OF_MEMORY =
      Protos.TaskStatus.Reason.REASON_CONTAINER_LIMITATION_MEMORY.name();

  /** The reason of a task that is not to run and has no result to reuse. */
  static final String STALE = "STALE";

  private static final String RECONCILIATION =
      Protos.TaskStatus.Reason.REASON_RECONCILIATION.name();

  private TaskStateMachine() {}

  /**
   * The outcome of an event.
   *
   * @param task the task after it; equal to the one before if nothing changes
   * @param result the result, if the task has ended with this transition
   * @param effects what follows, in this order
   */
  record Transition(Task task, Optional<TaskResult> result, List<Effect> effects) {
    static Transition to(Task task, Effect... effects) {
      return new Transition(task, Optional.empty(), List.of(effects));
    }
  }

  /** Returns what an event does to a task at a time. */
  static Transition transition(Task task, TaskEvent event, Instant now) {
    if (task.state().isTerminal()) {
      return event instanceof TaskEvent.StatusUpdate status
          ? Transition.to(task, acknowledge(status.update()))
          : Transition.to(task);
    }
    if (event instanceof TaskEvent.Kill) {
      return kill(task, now);
    }
    if (task.state() == TaskState.QUEUED) {
      return queued(task, event, now);
    }
    if (event instanceof TaskEvent.StatusUpdate update) {
      return update(task, update, now);
    }
    if (event instanceof TaskEvent.OutputRead read) {
      return end(task, read.status(), read.result(), read.update(), now);
    }
    if (event instanceof TaskEvent.LaunchRefused refused) {
      return task.state() == TaskState.STAGING
          ? relaunch(
              task, TaskStatus.of(TaskState.DROPPED, refused.message()), Optional.empty(), now)
          : Transition.to(task);
    }
    if (event instanceof TaskEvent.FrameworkRemoved removed) {
      TaskStatus lost = TaskStatus.of(TaskState.LOST, removed.message());
      return Transition.to(task, new Effect.ReadOutput(task, lost, Optional.empty(), false));
    }
    return Transition.to(task);
  }

  private static Transition queued(Task task, TaskEvent event, Instant now) {
    if (event instanceof TaskEvent.Launch launch) {
      Task staged =
          task.with(task.launch().computing(launch.key()).at(launch.location()))
              .with(TaskStatus.of(TaskState.STAGING, ""), now);
      return Transition.to(staged, new Effect.Notify(staged));
    }
    if (event instanceof TaskEvent.Reject reject) {
      return end(
          task,
          TaskStatus.of(TaskState.ERROR, reject.message()),
          TaskResult.NONE,
          Optional.empty(),
          now);
    }
    if (event instanceof TaskEvent.Reuse reuse) {
      ReusedResult earlier = reuse.earlier();
      String message =
          "The result of %s is reused, from %s"
              .formatted(earlier.id(), ResultReuse.LOCAL_TIME.format(earlier.ended()));
      return end(
          task.with(task.launch().reusing(reuse.key(), earlier)),
          TaskStatus.of(TaskState.FINISHED, message),
          reuse.result(),
          Optional.empty(),
          now);
    }
    if (event instanceof TaskEvent.Stale stale) {
      return end(
          task,
          new TaskStatus(TaskState.ERROR, STALE, stale.message(), ""),
          TaskResult.NONE,
          Optional.empty(),
          now);
    }
    return Transition.to(task);
  }

  private static Transition kill(Task task, Instant now) {
    if (task.state() == TaskState.QUEUED) {
      TaskStatus killed = TaskStatus.of(TaskState.KILLED, KILLED_BEFORE_LAUNCH);
      return end(task, killed, TaskResult.NONE, Optional.empty(), now);
    }
    Task next = task.with(task.launch().kill());
    if (task.state() != TaskState.UNREACHABLE) {
      return Transition.to(next, new Effect.SendKill(next));
    }
    // The master knows the task no longer; it is killed if its agent comes back with it.
    TaskStatus killed =
        TaskStatus.of(
            TaskState.KILLED, "Its agent does not answer; the task is killed if it comes back");
    return Transition.to(
        next,
        new Effect.SendKill(next),
        new Effect.ReadOutput(next, killed, Optional.empty(), false));
  }

  private static Transition update(Task task, TaskEvent.StatusUpdate event, Instant now) {
    TaskStatus status = event.status();
    Optional<Protos.TaskStatus> update = event.update();
    if (neverStarted(task, status)) {
      return relaunch(task, status, update, now);
    }
    // A task the master does not know although it had started: nobody can tell how it ended.
    TaskStatus known =
        status.state() == TaskState.UNKNOWN
            ? new TaskStatus(TaskState.LOST, status.reason(), status.message(), status.source())
            : status;
    if (!known.state().isTerminal()) {
      return progress(task, known, update, now);
    }
    Optional<Block> larger =
        known.reason().equals(OUT_OF_MEMORY) && !task.launch().killRequested()
            ? task.block().withMoreMemory()
            : Optional.empty();
    if (larger.isPresent()) {
      return runWithMoreMemory(task, larger.get(), update, now);
    }
    Retry retry = task.block().runPolicy().retry();
    if (retry.isDue(task.launch().runs() + 1, known.state())) {
      if (task.launch().killRequested()) {
        // The run ended by itself just before the kill reached it. What would have run again is
        // killed, not finished.
        known = new TaskStatus(TaskState.KILLED, known.reason(), known.message(), known.source());
      } else {
        return runAgain(task, known, update, now);
      }
    }
    Task used = task.with(task.launch().used(event.usage()));
    return event.result().isPresent()
        ? end(used, known, event.result().get(), update, now)
        : Transition.to(
            used,
            new Effect.ReadOutput(used, known, update, !isAgentGone(task.state(), known.state())));
  }

  /** Queues the task for its next run, as its retry policy has it. */
  private static Transition runAgain(
      Task task, TaskStatus ended, Optional<Protos.TaskStatus> update, Instant now) {
    int runs = task.launch().runs() + 1;
    Duration pause = task.block().runPolicy().retry().pause(runs, task.runTime(now));
    Task next =
        task.with(task.launch().retry())
            .with(TaskStatus.of(TaskState.QUEUED, runsAgain(task, runs, ended)), now);
    return queueAgain(task, next, update, pause);
  }

  /** Such as {@code Run 1 of 3 FAILED: Command exited with status 1; it runs again}. */
  private static String runsAgain(Task task, int run, TaskStatus ended) {
    Retry retry = task.block().runPolicy().retry();
    String of = retry.ensure() == Retry.Ensure.NOTHING ? " of " + retry.attempts() : "";
    String why = ended.message().isEmpty() ? "" : ": " + ended.message();
    return "Run %d%s %s%s; it runs again".formatted(run, of, ended.state(), why);
  }

  /** Queues a task that was killed for its memory; that run is none of its attempts. */
  private static Transition runWithMoreMemory(
      Task task, Block larger, Optional<Protos.TaskStatus> update, Instant now) {
    String message =
        "Killed for its memory, %.0f MiB; it runs again with %.0f MiB"
            .formatted(task.block().resources().memMiB(), larger.resources().memMiB());
    Task next =
        task.with(larger)
            .with(task.launch().repeat())
            .with(TaskStatus.of(TaskState.QUEUED, message), now);
    return queueAgain(task, next, update, Duration.ZERO);
  }

  private static Transition queueAgain(
      Task task, Task next, Optional<Protos.TaskStatus> update, Duration pause) {
    return Transition.to(
        next,
        acknowledge(
            update,
            new Effect.UnfollowOutput(task),
            new Effect.Notify(next),
            new Effect.Requeue(next, pause)));
  }

  /**
   * Returns whether a status says that the current launch did not start the task. The master
   * answers so to the reconciliation of a launch it never got (a task unknown to a registered agent
   * is TASK_GONE, else TASK_UNKNOWN); it sends TASK_DROPPED for a launch it could not deliver.
   */
  private static boolean neverStarted(Task task, TaskStatus status) {
    TaskState before = task.state();
    if (before == TaskState.STAGING
        && !task.launch().location().executorId().isEmpty()
        && isFinalBeforeStart(status)) {
      return true;
    }
    return switch (status.state()) {
      case DROPPED -> before == TaskState.STAGING || before == TaskState.STARTING;
      case GONE, LOST, UNKNOWN ->
          before == TaskState.STAGING && status.reason().equals(RECONCILIATION);
      default -> false;
    };
  }

  /**
   * Returns whether a status that comes before RUNNING says that a shared executor has not started
   * the task: it starts one once the agent has stored that it is running, and the agent tells that
   * first.
   */
  private static boolean isFinalBeforeStart(TaskStatus status) {
    if (status.source().equals(AGENT)) {
      return status.state().isTerminal();
    }
    return status.source().equals(MASTER)
        && (status.state() == TaskState.ERROR || status.state() == TaskState.KILLED);
  }

  private static boolean isAgentGone(TaskState before, TaskState end) {
    return before == TaskState.UNREACHABLE
        || end == TaskState.LOST
        || end == TaskState.GONE
        || end == TaskState.GONE_BY_OPERATOR;
  }

  /** Queues the task for another launch, under another Mesos task id. */
  private static Transition relaunch(
      Task task, TaskStatus status, Optional<Protos.TaskStatus> update, Instant now) {
    if (task.launch().killRequested()) {
      TaskStatus killed = TaskStatus.of(TaskState.KILLED, KILLED_BEFORE_LAUNCH);
      return end(task, killed, TaskResult.NONE, update, now);
    }
    boolean draining = status.reason().equals(DRAINING);
    if (task.launch().notStarted() + 1 >= MAX_LAUNCHES && !draining) {
      TaskStatus dropped =
          new TaskStatus(TaskState.DROPPED, status.reason(), status.message(), status.source());
      return end(task, dropped, TaskResult.NONE, update, now);
    }
    Task next =
        task.with(draining ? task.launch().repeat() : task.launch().relaunch())
            .with(TaskStatus.of(TaskState.QUEUED, status.message()), now);
    return Transition.to(
        next,
        acknowledge(
            update,
            new Effect.Notify(next),
            new Effect.Requeue(next, draining ? DRAINING_PAUSE : Duration.ZERO)));
  }

  /** A status of a task that has not ended. */
  private static Transition progress(
      Task task, TaskStatus status, Optional<Protos.TaskStatus> update, Instant now) {
    boolean healthChanged =
        task.state() == TaskState.RUNNING
            && !status.message().isEmpty()
            && !status.message().equals(task.status().message());
    Task next = status.state() == task.state() && !healthChanged ? task : task.with(status, now);
    List<Effect> effects = new ArrayList<>();
    if (!next.equals(task)) {
      effects.add(new Effect.Notify(next));
    }
    if (next.state() == TaskState.RUNNING) {
      effects.add(new Effect.FollowOutput(next));
    }
    return Transition.to(next, acknowledge(update, effects.toArray(new Effect[0])));
  }

  private static Transition end(
      Task task,
      TaskStatus status,
      TaskResult result,
      Optional<Protos.TaskStatus> update,
      Instant now) {
    Task ended = task.with(status, now);
    return new Transition(
        ended,
        Optional.of(result),
        List.of(acknowledge(update, new Effect.End(ended.withoutBody(), result))));
  }

  private static Effect[] acknowledge(Optional<Protos.TaskStatus> update, Effect... effects) {
    List<Effect> all = new ArrayList<>();
    update.map(Effect.Acknowledge::new).ifPresent(all::add);
    all.addAll(List.of(effects));
    return all.toArray(new Effect[0]);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Instant;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.apache.mesos.v1.Protos;
import org.obmesos.executor.TaskReport;
import org.obmesos.sandbox.SandboxReader;
import org.obmesos.task.Reuse;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.obmesos.task.TaskState;
import org.obmesos.task.TaskStatus;
import org.obmesos.task.Usage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns the updates of Mesos into transactions, and runs the effects of committed ones. Used on the
 * scheduler thread.
 */
final class UpdateHandler {
  private static final Logger log = LoggerFactory.getLogger(UpdateHandler.class);

  private static final String UNKNOWN_YET =
      "The master does not know the task; it is lost unless its agent registers again";

  private final SchedulerExecutor executor;
  private final TransactionQueue transactions;
  private final TaskRegistry registry;
  private final Subscription subscription;
  private final FrameworkListener listener;
  private final SandboxReader reader;
  private final Secrets secrets;
  private final LaunchQueue launchQueue;
  private final Reconciler reconciler;
  private final SharedExecutors executors;

  /** The tasks whose output is being read because they have ended. */
  private final Set<TaskId> ending = new HashSet<>();

  UpdateHandler(
      LaunchQueue.Collaborators with,
      SandboxReader reader,
      Secrets secrets,
      LaunchQueue launchQueue,
      Reconciler reconciler) {
    this.executor = with.executor();
    this.transactions = with.transactions();
    this.registry = with.registry();
    this.subscription = with.subscription();
    this.listener = with.listener();
    this.reader = reader;
    this.secrets = secrets;
    this.launchQueue = launchQueue;
    this.reconciler = reconciler;
    this.executors = launchQueue.matcher().executors();
  }

  /** Takes an update. It is acknowledged once what follows from it is stored. */
  void update(Protos.TaskStatus update) {
    if (update.getSource() == Protos.TaskStatus.Source.SOURCE_EXECUTOR) {
      executors.registered(update.getExecutorId().getValue());
    } else if (StatusMapper.isExecutorEnd(update)) {
      executors.failed(update.getExecutorId().getValue(), update.getMessage());
    }
    transactions.submit(new StatusUpdate(withTimeIfMissed(update)));
  }

  /**
   * Returns an update with its time only if it came about before this server was connected: the
   * clocks of agents differ, and some executors count whole seconds.
   */
  private Protos.TaskStatus withTimeIfMissed(Protos.TaskStatus update) {
    Instant at = Instant.ofEpochMilli((long) (update.getTimestamp() * 1000));
    return subscription.missed(at) ? update : update.toBuilder().clearTimestamp().build();
  }

  private static Optional<Protos.TaskStatus> acknowledgeable(Protos.TaskStatus update) {
    return update.hasUuid() && !update.getUuid().isEmpty() ? Optional.of(update) : Optional.empty();
  }

  private final class StatusUpdate implements TransactionQueue.Operation {
    private final Protos.TaskStatus update;
    private final Optional<TaskReport> report;
    private Optional<TaskId> task = Optional.empty();

    StatusUpdate(Protos.TaskStatus update) {
      this.update = update;
      this.report = TaskReport.parse(update.getData());
    }

    @Override
    public void prepare(Draft draft) {
      String mesosTaskId = update.getTaskId().getValue();
      task =
          registry
              .byMesosTaskId(mesosTaskId)
              .flatMap(known -> draft.live(known.id()))
              .filter(now -> now.mesosTaskId().equals(mesosTaskId))
              .map(Task::id);
      // While its output is read a task has ended; an update that is sent again changes nothing.
      task.filter(id -> !ending.contains(id))
          .ifPresent(
              id ->
                  draft.apply(
                      id,
                      new TaskEvent.StatusUpdate(
                          status(draft.live(id).orElseThrow()),
                          acknowledgeable(update),
                          usage(draft.live(id).orElseThrow()),
                          result(draft.live(id).orElseThrow()))));
    }

    /** A task that was running and that the master does not know yet can come back. */
    private TaskStatus status(Task now) {
      TaskStatus status = StatusMapper.status(update);
      return status.state() == TaskState.UNKNOWN
              && now.state() != TaskState.STAGING
              && !now.launch().killRequested()
              && subscription.mayMissAgents()
          ? new TaskStatus(TaskState.UNREACHABLE, status.reason(), UNKNOWN_YET, status.source())
          : status;
    }

    private Usage usage(Task now) {
      return report.map(it -> Usage.parse(it.usage())).orElseGet(() -> registry.usage(now));
    }

    /** Returns the result if the update has all of it; files that belong to it have to be read. */
    private Optional<TaskResult> result(Task now) {
      return now.block().reuse().hasFiles()
          ? Optional.empty()
          : report.filter(TaskReport::isComplete).map(reader::result);
    }

    @Override
    public void committed() {
      task.ifPresentOrElse(reconciler::answered, () -> unknownTask(update));
    }

    /** The agent sends an unacknowledged update again; one without a uuid comes only once. */
    @Override
    public void failed(RuntimeException cause) {
      if (acknowledgeable(update).isEmpty()) {
        var unused = executor.schedule(LaunchQueue.RETRY, () -> update(update));
      }
    }
  }

  /** A task that is not known, or an earlier launch of one that is, must not run. */
  private void unknownTask(Protos.TaskStatus update) {
    acknowledgeable(update).ifPresent(this::acknowledge);
    TaskState state = StatusMapper.state(update);
    if (!state.isTerminal() && state != TaskState.UNKNOWN) {
      log.warn("task {} is not known here and is killed", update.getTaskId().getValue());
      subscription.send(calls -> calls.kill(update));
    }
  }

  private void acknowledge(Protos.TaskStatus update) {
    subscription.send(calls -> calls.acknowledge(update, update.getUuid()));
  }

  /** Repeats the kills of tasks that have not ended: a master can drop a KILL (its master.cpp). */
  void repeatKills() {
    for (Task task : registry.launched()) {
      if (task.launch().killRequested() && !ending.contains(task.id())) {
        subscription.send(calls -> calls.kill(task));
      }
    }
  }

  /** The master has removed the framework with the given id; its tasks are lost. */
  void frameworkRemoved(String frameworkId, String message) {
    transactions.submit(
        new TransactionQueue.Operation() {
          @Override
          public void prepare(Draft draft) {
            registry.launched().stream()
                .filter(task -> task.launch().location().frameworkId().equals(frameworkId))
                .map(Task::id)
                .filter(id -> !ending.contains(id))
                .forEach(id -> draft.apply(id, new TaskEvent.FrameworkRemoved(message)));
          }

          @Override
          public void failed(RuntimeException cause) {
            var unused = executor.schedule(LaunchQueue.RETRY, () -> transactions.submit(this));
          }
        });
  }

  /** Runs an effect of a committed transaction. */
  void run(Effect effect) {
    if (effect instanceof Effect.Notify notify) {
      listener.status(registry.view(notify.task()));
    } else if (effect instanceof Effect.Acknowledge acknowledge) {
      acknowledge(acknowledge.update());
    } else if (effect instanceof Effect.SendKill kill) {
      subscription.send(calls -> calls.kill(kill.task()));
    } else if (effect instanceof Effect.FollowOutput follow) {
      reader.follow(follow.task());
    } else if (effect instanceof Effect.UnfollowOutput unfollow) {
      reader.unfollow(unfollow.task());
    } else if (effect instanceof Effect.ReadOutput read) {
      readOutput(read);
    } else if (effect instanceof Effect.Requeue requeue) {
      requeue(requeue);
    } else if (effect instanceof Effect.End end) {
      end(end.task(), end.result());
    }
  }

  private void readOutput(Effect.ReadOutput read) {
    Task task = read.task();
    if (!ending.add(task.id())) {
      return;
    }
    reader.unfollow(task);
    var unused =
        reader
            .finalOutput(
                task,
                read.agentAlive(),
                read.status().state() == TaskState.FINISHED ? task.block().reuse() : Reuse.NONE)
            .exceptionally(failure -> TaskResult.unreadable(String.valueOf(failure.getMessage())))
            .thenAccept(
                result ->
                    executor.execute(
                        () ->
                            transactions.submit(
                                new OutputRead(
                                    task.id(),
                                    new TaskEvent.OutputRead(
                                        read.status(), result, read.update())))));
  }

  private final class OutputRead implements TransactionQueue.Operation {
    private final TaskId id;
    private final TaskEvent.OutputRead event;

    OutputRead(TaskId id, TaskEvent.OutputRead event) {
      this.id = id;
      this.event = event;
    }

    @Override
    public void prepare(Draft draft) {
      draft.apply(id, event);
    }

    /** The output is here and the agent may not have it any more, so it is not read again. */
    @Override
    public void failed(RuntimeException cause) {
      var unused = executor.schedule(LaunchQueue.RETRY, () -> transactions.submit(this));
    }
  }

  private void requeue(Effect.Requeue requeue) {
    reconciler.answered(requeue.task().id());
    if (requeue.delay().isZero()) {
      log.info("task {} is launched again", requeue.task().id());
      launchQueue.admitAgain(requeue.task());
    } else {
      var unused = executor.schedule(requeue.delay(), () -> launchQueue.admitAgain(requeue.task()));
    }
  }

  private void end(Task task, TaskResult result) {
    ending.remove(task.id());
    reader.unfollow(task);
    secrets.remove(task.id());
    reconciler.answered(task.id());
    executors.taskEnded(task.launch().location().executorId());
    launchQueue.ended(task);
    listener.ended(task, result, reader.location(task));
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.mesos.v1.Protos;
import org.obmesos.sandbox.SandboxReader;
import org.obmesos.store.Store;
import org.obmesos.task.Task;
import org.obmesos.task.TaskState;
import org.obmesos.task.TaskStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What Mesos says of tasks, and what becomes of them by it. A status is stored before it is
 * acknowledged, and told after that. Used on the scheduler loop.
 */
final class Updates {
  private static final Logger log = LoggerFactory.getLogger(Updates.class);

  /** How often a launch that did not happen is made again. */
  private static final int LAUNCHES = 10;

  private final Roll roll;
  private final Subscription subscription;
  private final Loop loop;
  private final Store store;
  private final SandboxReader reader;
  private final FrameworkListener listener;
  private final Prerequisites prerequisites;
  private final Secrets secrets;
  private final Consumer<Task> enqueue;

  /** What statuses have an effect on. */
  record Around(
      Loop loop,
      Store store,
      SandboxReader reader,
      FrameworkListener listener,
      Prerequisites prerequisites,
      Secrets secrets) {}

  Updates(Roll roll, Subscription subscription, Around around, Consumer<Task> enqueue) {
    this.roll = roll;
    this.subscription = subscription;
    this.loop = around.loop();
    this.store = around.store();
    this.reader = around.reader();
    this.listener = around.listener();
    this.prerequisites = around.prerequisites();
    this.secrets = around.secrets();
    this.enqueue = enqueue;
  }

  /**
   * Takes a status in.
   *
   * @return the task it is about, if there is one
   */
  Optional<Task> take(Protos.TaskStatus said) {
    Optional<Task> found = roll.launchedAs(said.getTaskId().getValue());
    found.ifPresentOrElse(task -> take(task, said), () -> stranger(said));
    return found;
  }

  private void take(Task task, Protos.TaskStatus said) {
    TaskStatus status = Statuses.of(said, task.state());
    if (roll.isEnding(task)) {
      // Said again before our word reached the agent; what is on its way to the store is enough.
      log.debug("{} is said to be {} again", task.id(), status.state());
    } else if (Statuses.neverStarted(status, task.state())) {
      again(task, status, () -> acknowledge(said));
    } else if (status.state().isTerminal()) {
      ended(task, status, said);
    } else {
      moved(task, status, said);
    }
  }

  /** The master has refused a launch, in these words. */
  void notLaunched(Task staged, String why) {
    roll.launchedAs(staged.mesosTaskId())
        .filter(task -> task.state() == TaskState.STAGING && !roll.isEnding(task))
        .ifPresent(task -> again(task, TaskStatus.of(TaskState.DROPPED, why), () -> {}));
  }

  /** Mesos runs something under our name that we do not want, or tells of an earlier launch. */
  private void stranger(Protos.TaskStatus said) {
    acknowledge(said);
    if (!Statuses.state(said).isTerminal() && Statuses.state(said) != TaskState.UNKNOWN) {
      log.warn("task {} is not known here and is killed", said.getTaskId().getValue());
      subscription.send(made -> made.kill(said));
    }
  }

  private void acknowledge(Protos.TaskStatus said) {
    if (said.hasUuid() && !said.getUuid().isEmpty()) {
      subscription.send(made -> made.acknowledge(said, said.getUuid()));
    }
  }

  private void moved(Task task, TaskStatus status, Protos.TaskStatus said) {
    boolean ofHealth = !status.message().isEmpty() && task.state() == TaskState.RUNNING;
    if (status.state() == task.state()
        && !(ofHealth && !status.message().equals(task.status().message()))) {
      acknowledge(said);
      follow(task);
      return;
    }
    Task next = task.with(status, Instant.now());
    roll.put(next);
    loop.whenStored(
        store.update(next),
        () -> {
          acknowledge(said);
          listener.status(next);
          follow(next);
        });
  }

  private void follow(Task task) {
    if (task.state() == TaskState.RUNNING) {
      reader.follow(task);
    }
  }

  /** A launch that did not happen is made again, under another id, as a new turn at the queue. */
  private void again(Task task, TaskStatus status, Runnable then) {
    int launches = task.placing().attempt() - task.placing().runs() + 1;
    if (roll.isToKill(task)) {
      end(task, TaskStatus.of(TaskState.KILLED, "Killed before it was launched"), then);
    } else if (launches >= LAUNCHES) {
      end(task, status, then);
    } else {
      log.info("task {} is launched again: {}", task.id(), status.message());
      queue(task, task.with(task.placing().again()).with(status.waitsAgain(), Instant.now()), then);
    }
  }

  private void ended(Task task, TaskStatus status, Protos.TaskStatus said) {
    int runs = task.placing().runs() + 1;
    boolean again =
        task.block()
            .limits()
            .retry()
            .isAgain(runs, status.state() == TaskState.FINISHED, Statuses.isInVain(status));
    if (again && !roll.isToKill(task)) {
      reader.leave(task);
      queue(
          task,
          task.with(task.placing().afterRun()).with(status.waitsAgain(), Instant.now()),
          () -> acknowledge(said));
    } else {
      end(task, status, () -> acknowledge(said));
    }
  }

  /** Waits for another launch; one that has run before waits the longer, the more often it has. */
  private void queue(Task task, Task next, Runnable then) {
    roll.landed(task);
    roll.put(next);
    loop.whenStored(
        store.update(next),
        () -> {
          then.run();
          listener.status(next);
          int runs = next.placing().runs();
          if (runs == task.placing().runs()) {
            enqueue.accept(next);
          } else {
            Duration pause = next.block().limits().retry().pause(runs, task.lasted(Instant.now()));
            var unused =
                loop.executor()
                    .schedule(() -> enqueue.accept(next), pause.toMillis(), TimeUnit.MILLISECONDS);
          }
        });
  }

  /** Reads what the task wrote, stores it, and only then tells of the end. */
  void end(Task task, TaskStatus status, Runnable then) {
    roll.markEnding(task);
    var unused =
        reader
            .lastWords(task, !Statuses.isAgentAway(task.state(), status.state()))
            .thenAcceptAsync(
                result -> {
                  Task last = task.with(status, Instant.now());
                  loop.whenStored(
                      store.update(last, result),
                      () -> {
                        roll.ended(last);
                        secrets.forget(last.id());
                        then.run();
                        listener.status(last);
                        prerequisites.freed(last).forEach(enqueue);
                        roll.waitingPeer(last).ifPresent(enqueue);
                      });
                },
                loop.executor());
  }
}

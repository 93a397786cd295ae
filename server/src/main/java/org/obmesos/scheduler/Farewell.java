// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.obmesos.store.Store;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskState;
import org.obmesos.task.TaskStatus;

/**
 * The end of a framework's part: tasks that were told to end are waited for, but not for ever, and
 * if none is left then, the framework is over too. Used on the scheduler loop.
 */
final class Farewell {
  /** How often to look whether all tasks have ended. */
  private static final long LOOK_MILLIS = 50;

  /** How long to wait for that. */
  private static final Duration LONGEST = Duration.ofSeconds(10);

  private final Loop loop;
  private final Roll roll;
  private final Store store;
  private final Subscription subscription;
  private final Instant deadline = Instant.now().plus(LONGEST);
  private final CompletableFuture<Void> finished = new CompletableFuture<>();

  Farewell(Loop loop, Roll roll, Store store, Subscription subscription) {
    this.loop = loop;
    this.roll = roll;
    this.store = store;
    this.subscription = subscription;
  }

  /**
   * Begins.
   *
   * @param ids the tasks that were told to end
   */
  void say(Collection<TaskId> ids) {
    if (subscription.isUp()) {
      look(ids);
    } else {
      var unused = finished.completeAsync(() -> leaveToTheNext(ids).join());
    }
  }

  /** Completes when the master has heard it. */
  CompletableFuture<Void> finished() {
    return finished;
  }

  /** The server after this one will kill what is known to be killed. */
  private CompletableFuture<Void> leaveToTheNext(Collection<TaskId> ids) {
    return CompletableFuture.allOf(
        roll.known(ids).stream()
            .filter(task -> !task.state().isTerminal() && !roll.isEnding(task))
            .map(task -> task.with(TaskStatus.of(TaskState.KILLING, ""), Instant.now()))
            .map(store::update)
            .toArray(CompletableFuture<?>[]::new));
  }

  private void look(Collection<TaskId> ids) {
    boolean over = roll.known(ids).stream().allMatch(task -> task.state().isTerminal());
    if (!over && subscription.isUp() && Instant.now().isBefore(deadline)) {
      var unused = loop.executor().schedule(() -> look(ids), LOOK_MILLIS, TimeUnit.MILLISECONDS);
    } else if (roll.all().stream().allMatch(task -> task.state().isTerminal())) {
      var unused =
          subscription
              .call(Calls::tearDown)
              .thenCompose(nothing -> store.forgetFrameworkId())
              .whenComplete((nothing, failure) -> finished.complete(null));
    } else {
      finished.complete(null);
    }
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.obmesos.store.Store;
import org.obmesos.task.TaskId;

/**
 * Shuts the framework down after the client has killed tasks: waits until the tasks have ended, at
 * most ten seconds, and sends TEARDOWN if no task and no session is left. The kills are stored
 * first, so a later server repeats those that the master has not received. Used on the scheduler
 * thread.
 */
final class GracefulShutdown {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final SchedulerExecutor executor;
  private final TaskRegistry registry;
  private final Sessions sessions;
  private final Store store;
  private final Subscription subscription;
  private List<TaskId> killed = List.of();
  private final CompletableFuture<Void> finished = new CompletableFuture<>();
  private boolean over;

  GracefulShutdown(
      SchedulerExecutor executor,
      TaskRegistry registry,
      Sessions sessions,
      Store store,
      Subscription subscription) {
    this.executor = executor;
    this.registry = registry;
    this.sessions = sessions;
    this.store = store;
    this.subscription = subscription;
  }

  /** Starts to wait for tasks whose kills are committed. */
  void start(Collection<TaskId> tasks) {
    killed = List.copyOf(tasks);
    var unused = executor.schedule(TIMEOUT, this::finish);
    check();
  }

  /** Is called after each transaction. */
  void check() {
    if (!subscription.isUp() || killed.stream().noneMatch(id -> registry.live(id).isPresent())) {
      finish();
    }
  }

  private void finish() {
    if (over) {
      return;
    }
    over = true;
    if (subscription.isUp() && registry.live().isEmpty() && sessions.list().isEmpty()) {
      var unused =
          subscription
              .call(Calls::tearDown)
              .thenCompose(nothing -> store.deleteFrameworkId())
              .whenComplete((nothing, failure) -> finished.complete(null));
    } else {
      finished.complete(null);
    }
  }

  /** Completes when the tasks have ended, or have been waited for. */
  CompletableFuture<Void> finished() {
    return finished;
  }
}

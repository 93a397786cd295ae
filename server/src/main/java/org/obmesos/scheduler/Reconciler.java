// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.util.Backoff;

/**
 * Explicit reconciliation as Mesos' docs/reconciliation.md has it: asks for the launched tasks
 * again and again, with truncated exponential backoff, until each has been answered or has ended.
 * Used on the scheduler thread.
 */
final class Reconciler {
  private static final Backoff BACKOFF = new Backoff(Duration.ofSeconds(5), Duration.ofMinutes(1));

  private final SchedulerExecutor executor;
  private final TaskRegistry registry;
  private final Consumer<Collection<Task>> reconcile;
  private final Set<TaskId> unanswered = new LinkedHashSet<>();
  private Optional<Future<?>> next = Optional.empty();

  /**
   * Creates a reconciler.
   *
   * @param reconcile sends a RECONCILE call for the tasks
   */
  Reconciler(
      SchedulerExecutor executor, TaskRegistry registry, Consumer<Collection<Task>> reconcile) {
    this.executor = executor;
    this.registry = registry;
    this.reconcile = reconcile;
  }

  /** Starts over with all launched tasks. */
  void start() {
    stop();
    unanswered.clear();
    registry.launched().forEach(task -> unanswered.add(task.id()));
    round(0);
  }

  /** Stops asking for a task: it was answered, has ended, or waits for another launch. */
  void answered(TaskId id) {
    unanswered.remove(id);
  }

  void stop() {
    next.ifPresent(future -> future.cancel(false));
    next = Optional.empty();
  }

  private void round(int number) {
    List<Task> tasks =
        registry.launched().stream().filter(task -> unanswered.contains(task.id())).toList();
    if (!tasks.isEmpty()) {
      reconcile.accept(tasks);
      next = Optional.of(executor.schedule(BACKOFF.delay(number), () -> round(number + 1)));
    }
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;

/**
 * Asks the master what became of tasks, again and again until each has been answered, as Mesos'
 * docs/reconciliation.md wants it: with truncated exponential backoff, one run at a time. Used on
 * the scheduler loop.
 */
final class Reconciler {
  private static final Duration FIRST = Duration.ofSeconds(5);
  private static final Duration LONGEST = Duration.ofMinutes(1);

  private final ScheduledExecutorService loop;
  private final Consumer<Collection<Task>> ask;
  private final Map<TaskId, Task> unanswered = new LinkedHashMap<>();
  private Optional<Future<?>> next = Optional.empty();

  Reconciler(ScheduledExecutorService loop, Consumer<Collection<Task>> ask) {
    this.loop = loop;
    this.ask = ask;
  }

  /** Begins anew with these tasks. */
  void start(Collection<Task> tasks) {
    stop();
    unanswered.clear();
    tasks.forEach(task -> unanswered.put(task.id(), task));
    round(FIRST);
  }

  void answered(TaskId id) {
    unanswered.remove(id);
  }

  void stop() {
    next.ifPresent(future -> future.cancel(false));
    next = Optional.empty();
  }

  private void round(Duration wait) {
    if (unanswered.isEmpty()) {
      return;
    }
    ask.accept(unanswered.values());
    Duration longer = wait.multipliedBy(2);
    next =
        Optional.of(
            loop.schedule(
                () -> round(longer.compareTo(LONGEST) > 0 ? LONGEST : longer),
                wait.toMillis(),
                TimeUnit.MILLISECONDS));
  }
}

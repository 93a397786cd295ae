// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.obmesos.util.NamedExecutors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that owns the scheduler's state. An exception in one job does not end the rest.
 */
final class SchedulerExecutor {
  private static final Logger log = LoggerFactory.getLogger(SchedulerExecutor.class);

  private final ScheduledThreadPoolExecutor thread = NamedExecutors.single("scheduler");

  private static Runnable logged(Runnable job) {
    return () -> {
      try {
        job.run();
      } catch (RuntimeException e) {
        log.error("unexpected exception in the scheduler", e);
      }
    };
  }

  /**
   * Runs a job on the thread.
   *
   * @return false after the shutdown; then the job is not run
   */
  boolean execute(Runnable job) {
    try {
      thread.execute(logged(job));
      return true;
    } catch (RejectedExecutionException e) {
      log.debug("the scheduler is closed", e);
      return false;
    }
  }

  /** Runs a job on the thread after a delay. */
  Future<?> schedule(Duration delay, Runnable job) {
    try {
      return thread.schedule(logged(job), delay.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      log.debug("the scheduler is closed", e);
      return CompletableFuture.completedFuture(null);
    }
  }

  /** Runs a job on the thread again and again, with this delay between two runs. */
  void repeat(Duration delay, Runnable job) {
    var unused =
        thread.scheduleWithFixedDelay(
            logged(job), delay.toMillis(), delay.toMillis(), TimeUnit.MILLISECONDS);
  }

  boolean isShutdown() {
    return thread.isShutdown();
  }

  void shutdown() {
    thread.shutdown();
  }
}

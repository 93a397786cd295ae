// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.time.Duration;
import java.util.Objects;

/**
 * How a task is queued, watched and ended.
 *
 * @param priority tasks with a higher one are launched first; from -1000 to 1000
 * @param killGrace the time between SIGTERM and SIGKILL, from 0 to one hour
 * @param timeout the longest run time; zero for no limit
 * @param tailLines the number of last lines reported while it runs, from 0 to 100
 * @param retry when it runs again
 * @param executor which executor of Mesos runs it
 * @param limit the number of tasks of its group that are launched at once; 0 for no limit
 */
public record RunPolicy(
    int priority,
    Duration killGrace,
    Duration timeout,
    int tailLines,
    Retry retry,
    ExecutorKind executor,
    int limit) {
  /** The largest priority; its negative is the smallest. */
  public static final int MAX_PRIORITY = 1000;

  /** The largest number of last lines. */
  public static final int MAX_TAIL_LINES = 100;

  /** Mesos' default grace period of 3 s, ten lines, one run. */
  public static final RunPolicy DEFAULT =
      new RunPolicy(0, Duration.ofSeconds(3), Duration.ZERO, 10, Retry.NONE, ExecutorKind.AUTO);

  /** Without a limit for its group. */
  public RunPolicy(
      int priority,
      Duration killGrace,
      Duration timeout,
      int tailLines,
      Retry retry,
      ExecutorKind executor) {
    this(priority, killGrace, timeout, tailLines, retry, executor, 0);
  }

  /**
   * Validates the ranges.
   *
   * @throws InvalidBlockException if a component is outside its range
   */
  public RunPolicy {
    Objects.requireNonNull(killGrace, "killGrace");
    Objects.requireNonNull(timeout, "timeout");
    Objects.requireNonNull(retry, "retry");
    // Before version 0.2 there was no choice.
    executor = Objects.requireNonNullElse(executor, ExecutorKind.AUTO);
    if (limit < 0) {
      throw new InvalidBlockException("limit", "a whole number above 0");
    }
    if (Math.abs(priority) > MAX_PRIORITY) {
      throw new InvalidBlockException("priority", "a whole number from -1000 to 1000");
    }
    if (killGrace.isNegative() || killGrace.compareTo(Duration.ofHours(1)) > 0) {
      throw new InvalidBlockException("kill-grace", "from 0 to 3600 seconds");
    }
    if (timeout.isNegative() || timeout.compareTo(Duration.ofDays(3650)) > 0) {
      throw new InvalidBlockException("timeout", "a number of seconds above 0");
    }
    if (!timeout.isZero() && !retry.keep().isZero()) {
      throw new InvalidBlockException(
          "keep", "none for a block with a timeout, which would end it");
    }
    if (tailLines < 0 || tailLines > MAX_TAIL_LINES) {
      throw new InvalidBlockException("tail", "a whole number from 0 to 100");
    }
  }
}

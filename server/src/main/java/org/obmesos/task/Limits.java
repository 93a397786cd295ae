// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.time.Duration;
import java.util.Objects;

/**
 * How a task is treated while it waits and runs.
 *
 * @param priority higher goes first, from -1000 to 1000
 * @param killGrace time between TERM and KILL, from 0 to one hour
 * @param timeout how long it may run; zero for ever
 * @param tailLines how many last lines are told while it runs, from 0 to 100
 * @param retry when it runs again
 */
public record Limits(
    int priority, Duration killGrace, Duration timeout, int tailLines, Retry retry) {
  /** What a block gets that says nothing: Mesos' own grace period of 3 s, ten lines, one run. */
  public static final Limits DEFAULT =
      new Limits(0, Duration.ofSeconds(3), Duration.ZERO, 10, Retry.NONE);

  /**
   * Checks the ranges.
   *
   * @throws InvalidBlockException if a component is outside of its range
   */
  public Limits {
    Objects.requireNonNull(killGrace, "killGrace");
    Objects.requireNonNull(timeout, "timeout");
    Objects.requireNonNull(retry, "retry");
    if (priority < -1000 || priority > 1000) {
      throw new InvalidBlockException("priority", "a whole number from -1000 to 1000");
    }
    if (killGrace.isNegative() || killGrace.compareTo(Duration.ofHours(1)) > 0) {
      throw new InvalidBlockException("kill-grace", "from 0 to 3600 seconds");
    }
    if (timeout.isNegative() || timeout.compareTo(Duration.ofDays(3650)) > 0) {
      throw new InvalidBlockException("timeout", "a number of seconds above 0");
    }
    if (tailLines < 0 || tailLines > 100) {
      throw new InvalidBlockException("tail", "a whole number from 0 to 100");
    }
  }
}

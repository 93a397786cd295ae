// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.time.Duration;
import java.util.Objects;

/**
 * When a task runs again after it has ended.
 *
 * @param attempts how often it may run until it succeeds, from 1 to 1000
 * @param backoff how long it waits after its first run; twice as long after each further one, up to
 *     {@link #LONGEST_PAUSE}
 * @param ensure what it is to be brought to, however often it takes
 */
public record Retry(int attempts, Duration backoff, Ensure ensure) {
  /** What a task is brought to. */
  public enum Ensure {
    /** Nothing beyond its attempts. */
    NOTHING,
    /** It runs until it has ended well. */
    IT_FINISHES,
    /** It runs whenever it has ended, until it is killed. */
    IT_KEEPS_RUNNING
  }

  /** The longest wait between two runs. */
  public static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

  /** One run. */
  public static final Retry NONE = new Retry(1, Duration.ofSeconds(1), Ensure.NOTHING);

  /**
   * Checks the ranges.
   *
   * @throws InvalidBlockException if a component is outside of its range
   */
  public Retry {
    Objects.requireNonNull(ensure, "ensure");
    if (attempts < 1 || attempts > 1000) {
      throw new InvalidBlockException("attempts", "a whole number from 1 to 1000");
    }
    if (backoff.isNegative() || backoff.compareTo(Duration.ofHours(1)) > 0) {
      throw new InvalidBlockException("backoff", "a number of seconds, at most 3600");
    }
  }

  /**
   * Whether a task runs again.
   *
   * @param runs how often it has run
   * @param finished whether its last run ended well
   * @param inVain whether it ended in a way that another run can mend
   */
  public boolean isAgain(int runs, boolean finished, boolean inVain) {
    return switch (ensure) {
      case NOTHING -> inVain && runs < attempts;
      case IT_FINISHES -> inVain;
      case IT_KEEPS_RUNNING -> inVain || finished;
    };
  }

  /**
   * How long it waits before it runs again.
   *
   * @param runs how often it has run
   * @param lasted how long its last run was; a long one begins the count anew
   */
  public Duration pause(int runs, Duration lasted) {
    int doublings = lasted.compareTo(LONGEST_PAUSE) >= 0 ? 0 : Math.min(Math.max(runs - 1, 0), 16);
    Duration pause = backoff.multipliedBy(1L << doublings);
    Duration longest = backoff.compareTo(LONGEST_PAUSE) > 0 ? backoff : LONGEST_PAUSE;
    return pause.compareTo(longest) > 0 ? longest : pause;
  }
}

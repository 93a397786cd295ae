// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.util;

import java.time.Duration;
import java.util.Objects;
import java.util.random.RandomGenerator;

/**
 * Truncated exponential backoff: the delay doubles with each attempt, up to a limit. Immutable; the
 * caller counts its attempts.
 *
 * @param first the delay after the first attempt; zero or more
 * @param longest the largest delay; at least {@code first}
 */
public record Backoff(Duration first, Duration longest) {
  private static final int MAX_DOUBLINGS = 30;

  /**
   * Checks the delays.
   *
   * @throws IllegalArgumentException if {@code first} is negative or longer than {@code longest}
   */
  public Backoff {
    Objects.requireNonNull(longest, "longest");
    if (first.isNegative() || first.compareTo(longest) > 0) {
      throw new IllegalArgumentException("first delay " + first + " is not in 0.." + longest);
    }
  }

  /**
   * Returns the delay before the next attempt.
   *
   * @param failures the number of failed attempts before this one; 0 gives {@code first}
   */
  public Duration delay(int failures) {
    Duration delay = first;
    for (int n = 0; n < Math.min(failures, MAX_DOUBLINGS) && delay.compareTo(longest) < 0; n++) {
      delay = delay.multipliedBy(2);
    }
    return delay.compareTo(longest) > 0 ? longest : delay;
  }

  /**
   * Returns {@link #delay} scaled by a random factor from 0.5 to 1, so that clients that failed
   * together do not retry together.
   */
  public Duration jittered(int failures, RandomGenerator random) {
    long millis = delay(failures).toMillis();
    return Duration.ofMillis(random.nextLong(millis / 2, millis + 1));
  }
}

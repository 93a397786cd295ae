// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * How long to wait before the next attempt: twice as long each time, up to a limit, each time
 * somewhere between half of that and all of it, so that many clients do not come together.
 */
final class Backoff {
  private final Duration first;
  private final Duration longest;
  private final RandomGenerator random;
  private Duration next;

  Backoff(Duration first, Duration longest, RandomGenerator random) {
    this.first = first;
    this.longest = longest;
    this.random = random;
    this.next = first;
  }

  /** The wait before the next attempt. */
  Duration next() {
    long millis = next.toMillis();
    Duration doubled = next.multipliedBy(2);
    next = doubled.compareTo(longest) > 0 ? longest : doubled;
    return Duration.ofMillis(random.nextLong(millis / 2, millis + 1));
  }

  /** An attempt has succeeded. */
  void reset() {
    next = first;
  }
}

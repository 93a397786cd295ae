// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.time.Duration;
import java.util.Optional;

/**
 * What a task has used; what is not known is empty.
 *
 * @param wallSeconds how long its command has run
 * @param cpuSeconds user and system time of its processes
 * @param peakKiB the largest memory of one of its processes (ru_maxrss, getrusage(2)), or of its
 *     container where Mesos says that
 */
public record Usage(
    Optional<Double> wallSeconds, Optional<Double> cpuSeconds, Optional<Long> peakKiB) {
  /** Nothing is known. */
  public static final Usage UNKNOWN =
      new Usage(Optional.empty(), Optional.empty(), Optional.empty());

  private static final int WORDS = 4;
  private static final double MILLIS = 1000;

  /**
   * Parses the words of tasks.pl: seconds of wall time, user time and system time, and KiB of peak
   * memory, each {@code -} if it is not known. What cannot be parsed is not known.
   */
  public static Usage parse(String words) {
    String[] parts = words.trim().split(" ", -1);
    if (parts.length != WORDS) {
      return UNKNOWN;
    }
    Optional<Double> system = seconds(parts[2]);
    return new Usage(
        seconds(parts[0]),
        seconds(parts[1]).flatMap(user -> system.map(seconds -> user + seconds)),
        Optional.of(parts[3]).filter(word -> word.matches("\\d{1,18}")).map(Long::valueOf));
  }

  /** Returns a later usage with the larger peak of both. */
  public Usage later(Usage later) {
    return new Usage(
        later.wallSeconds,
        later.cpuSeconds,
        peakKiB
            .map(peak -> later.peakKiB.map(other -> Math.max(peak, other)).orElse(peak))
            .or(() -> later.peakKiB));
  }

  /** Returns this with a wall time. */
  public Usage lasting(Duration wall) {
    return new Usage(Optional.of(wall.toMillis() / MILLIS), cpuSeconds, peakKiB);
  }

  private static Optional<Double> seconds(String word) {
    return Optional.of(word)
        .filter(text -> text.matches("\\d{1,12}(\\.\\d{1,9})?"))
        .map(Double::valueOf);
  }
}

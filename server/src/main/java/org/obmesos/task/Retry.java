// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.time.Duration;
import java.util.Objects;
import org.obmesos.util.Backoff;

/**
 * What happens after a task has ended.
 *
 * @param attempts the largest number of runs, from 1 to 1000
 * @param backoff the pause after the first run, at most one hour; it doubles with each further run,
 *     up to {@link #MAX_PAUSE}
 * @param ensure a goal for which the task runs as often as needed
 * @param keep how long the container of a run that has failed stays, at most a week
 * @param maxMemMiB a task that was killed for its memory runs again with twice as much, up to this;
 *     0 if it does not
 */
public record Retry(
    int attempts, Duration backoff, Ensure ensure, Duration keep, double maxMemMiB) {
  /** A goal for which a task runs as often as needed. */
  public enum Ensure {
    /** No goal: {@code attempts} decides. */
    NOTHING,
    /** The task runs until it has finished successfully. */
    IT_FINISHES,
    /** The task runs again whenever it has ended, until it is killed. */
    IT_KEEPS_RUNNING
  }

  /** The largest number of attempts. */
  public static final int MAX_ATTEMPTS = 1000;

  /** The longest pause between two runs. */
  public static final Duration MAX_PAUSE = Duration.ofMinutes(1);

  /** The longest time that a container stays. */
  public static final Duration MAX_KEEP = Duration.ofDays(7);

  /** One run. */
  public static final Retry NONE = new Retry(1, Duration.ofSeconds(1), Ensure.NOTHING);

  /** Creates one that keeps nothing. */
  public Retry(int attempts, Duration backoff, Ensure ensure) {
    this(attempts, backoff, ensure, Duration.ZERO, 0);
  }

  /**
   * Validates the ranges.
   *
   * @throws InvalidBlockException if a component is outside its range
   */
  public Retry {
    Objects.requireNonNull(ensure, "ensure");
    // Before version 0.2 nothing was kept.
    keep = Objects.requireNonNullElse(keep, Duration.ZERO);
    if (keep.isNegative() || keep.compareTo(MAX_KEEP) > 0) {
      throw new InvalidBlockException("keep", "a time of at most seven days, such as 30m");
    }
    if (attempts < 1 || attempts > MAX_ATTEMPTS) {
      throw new InvalidBlockException("attempts", "a whole number from 1 to 1000");
    }
    if (backoff.isNegative() || backoff.compareTo(Duration.ofHours(1)) > 0) {
      throw new InvalidBlockException("backoff", "a number of seconds, at most 3600");
    }
  }

  /**
   * Checks the limit of the memory.
   *
   * @throws InvalidBlockException if the memory is above it
   */
  void checkMemory(Resources resources) {
    if (maxMemMiB < 0 || (maxMemMiB > 0 && maxMemMiB < resources.memMiB())) {
      throw new InvalidBlockException("mem", "FROM..TO, such as 1G..8G");
    }
  }

  /**
   * Returns whether a task runs again.
   *
   * @param runs the number of runs so far
   * @param end the status its last run ended with
   */
  public boolean isDue(int runs, TaskState end) {
    boolean failed =
        switch (end) {
          case FAILED, LOST, DROPPED, GONE, GONE_BY_OPERATOR -> true;
          default -> false;
        };
    return switch (ensure) {
      case NOTHING -> failed && runs < attempts;
      case IT_FINISHES -> failed;
      case IT_KEEPS_RUNNING -> failed || end == TaskState.FINISHED;
    };
  }

  /**
   * Returns the pause before the next run.
   *
   * @param runs the number of runs so far, at least 1
   * @param lasted how long the last run lasted; after {@link #MAX_PAUSE} or more the pause starts
   *     from {@code backoff} again
   */
  public Duration pause(int runs, Duration lasted) {
    Duration longest = backoff.compareTo(MAX_PAUSE) > 0 ? backoff : MAX_PAUSE;
    boolean stable = lasted.compareTo(MAX_PAUSE) >= 0;
    return new Backoff(backoff, longest).delay(stable ? 0 : Math.max(runs - 1, 0));
  }
}

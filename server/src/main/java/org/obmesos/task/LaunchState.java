// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;
import java.util.Optional;

/**
 * The launches of a task so far.
 *
 * @param attempt the number of launches before the current one, from 0
 * @param runs the number of those launches that ran and ended without success
 * @param notStarted the number of launches just before the current one that did not start the task
 * @param location the agent of the current launch
 * @param killRequested whether a client asked to kill the task
 * @param usage what the current launch has used
 * @param key what the task computes; empty before its first launch, and if that is not known
 * @param reused the earlier task whose result it has; empty if it ran
 */
public record LaunchState(
    int attempt,
    int runs,
    int notStarted,
    TaskLocation location,
    boolean killRequested,
    Usage usage,
    Optional<ResultKey> key,
    Optional<ReusedResult> reused) {
  /** Not launched yet. */
  public static final LaunchState NONE =
      new LaunchState(
          0, 0, 0, TaskLocation.NONE, false, Usage.UNKNOWN, Optional.empty(), Optional.empty());

  /** Rejects a null location. Without a usage, as before version 0.2, nothing is known of it. */
  public LaunchState {
    Objects.requireNonNull(location, "location");
    usage = Objects.requireNonNullElse(usage, Usage.UNKNOWN);
    // Before version 0.3 there were no keys.
    key = key == null ? Optional.empty() : key;
    reused = reused == null ? Optional.empty() : reused;
  }

  /** Returns this launched at a location. */
  public LaunchState at(TaskLocation newLocation) {
    return new LaunchState(
        attempt, runs, notStarted, newLocation, killRequested, Usage.UNKNOWN, key, reused);
  }

  /** Returns this with what the task computes, if that is known. */
  public LaunchState computing(Optional<ResultKey> newKey) {
    return new LaunchState(
        attempt, runs, notStarted, location, killRequested, usage, newKey.or(() -> key), reused);
  }

  /** Returns this with the result of an earlier task with the same key. */
  public LaunchState reusing(ResultKey newKey, ReusedResult earlier) {
    return new LaunchState(
        attempt,
        runs,
        notStarted,
        location,
        killRequested,
        usage,
        Optional.of(newKey),
        Optional.of(earlier));
  }

  private LaunchState next(int newRuns, int newNotStarted) {
    return new LaunchState(
        attempt + 1,
        newRuns,
        newNotStarted,
        TaskLocation.NONE,
        killRequested,
        Usage.UNKNOWN,
        key,
        reused);
  }

  /** Returns this queued again after a launch that did not run. The next launch has a new id. */
  public LaunchState relaunch() {
    return next(runs, notStarted + 1);
  }

  /** Returns this queued again after a run that failed. */
  public LaunchState retry() {
    return next(runs + 1, 0);
  }

  /** Returns this queued again after a run that does not count. */
  public LaunchState repeat() {
    return next(runs, 0);
  }

  /** Returns this with {@code killRequested} set. */
  public LaunchState kill() {
    return new LaunchState(attempt, runs, notStarted, location, true, usage, key, reused);
  }

  /** Returns this with what the current launch has used. */
  public LaunchState used(Usage now) {
    return new LaunchState(attempt, runs, notStarted, location, killRequested, now, key, reused);
  }
}

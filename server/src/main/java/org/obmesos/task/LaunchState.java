// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/**
 * The launches of a task so far.
 *
 * @param attempt the number of launches before the current one, from 0
 * @param runs the number of those launches that ran and ended without success
 * @param notStarted the number of launches just before the current one that did not start the task
 * @param location the agent of the current launch
 * @param killRequested whether a client asked to kill the task
 * @param usage what the current launch has used
 */
public record LaunchState(
    int attempt,
    int runs,
    int notStarted,
    TaskLocation location,
    boolean killRequested,
    Usage usage) {
  /** Not launched yet. */
  public static final LaunchState NONE =
      new LaunchState(0, 0, 0, TaskLocation.NONE, false, Usage.UNKNOWN);

  /** Rejects a null location. Without a usage, as before version 0.2, nothing is known of it. */
  public LaunchState {
    Objects.requireNonNull(location, "location");
    usage = Objects.requireNonNullElse(usage, Usage.UNKNOWN);
  }

  /** Returns this launched at a location. */
  public LaunchState at(TaskLocation newLocation) {
    return new LaunchState(attempt, runs, notStarted, newLocation, killRequested, Usage.UNKNOWN);
  }

  /** Returns this queued again after a launch that did not run. The next launch has a new id. */
  public LaunchState relaunch() {
    return new LaunchState(
        attempt + 1, runs, notStarted + 1, TaskLocation.NONE, killRequested, Usage.UNKNOWN);
  }

  /** Returns this queued again after a run that failed. */
  public LaunchState retry() {
    return new LaunchState(
        attempt + 1, runs + 1, 0, TaskLocation.NONE, killRequested, Usage.UNKNOWN);
  }

  /** Returns this with {@code killRequested} set. */
  public LaunchState kill() {
    return new LaunchState(attempt, runs, notStarted, location, true, usage);
  }

  /** Returns this with what the current launch has used. */
  public LaunchState used(Usage now) {
    return new LaunchState(attempt, runs, notStarted, location, killRequested, now);
  }
}

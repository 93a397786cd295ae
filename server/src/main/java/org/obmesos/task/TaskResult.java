// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * The output of an ended task.
 *
 * @param stdout the decoded standard output, from its start up to the result limit
 * @param stdoutBytes the size of the whole standard output, in bytes
 * @param truncated whether {@code stdout} is not the whole output
 * @param stderrTail the last lines of standard error
 * @param files the files that belong to it, by their paths; empty if they could not be kept
 */
public record TaskResult(
    String stdout,
    long stdoutBytes,
    boolean truncated,
    String stderrTail,
    Optional<Map<String, KeptFile>> files) {
  /** The output of a task that never ran. */
  public static final TaskResult NONE = new TaskResult("", 0, false, "");

  /** Without files. */
  public TaskResult(String stdout, long stdoutBytes, boolean truncated, String stderrTail) {
    this(stdout, stdoutBytes, truncated, stderrTail, Optional.of(Map.of()));
  }

  /** Rejects null components. */
  public TaskResult {
    Objects.requireNonNull(stdout, "stdout");
    Objects.requireNonNull(stderrTail, "stderrTail");
    files = files.map(Map::copyOf);
  }

  /** Returns this with the files that belong to it. */
  public TaskResult with(Optional<Map<String, KeptFile>> kept) {
    return new TaskResult(stdout, stdoutBytes, truncated, stderrTail, kept);
  }

  /** Returns whether all of it is here. */
  public boolean isComplete() {
    return !truncated && files.isPresent();
  }

  /** Returns the result of a task whose output could not be read. */
  public static TaskResult unreadable(String reason) {
    return new TaskResult("", 0, true, "Its output could not be read: " + reason);
  }
}

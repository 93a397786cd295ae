// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/**
 * The output of an ended task.
 *
 * @param stdout the decoded standard output, from its start up to the result limit
 * @param stdoutBytes the size of the whole standard output, in bytes
 * @param truncated whether {@code stdout} is not the whole output
 * @param stderrTail the last lines of standard error
 */
public record TaskResult(String stdout, long stdoutBytes, boolean truncated, String stderrTail) {
  /** The output of a task that never ran. */
  public static final TaskResult NONE = new TaskResult("", 0, false, "");

  /** Rejects null components. */
  public TaskResult {
    Objects.requireNonNull(stdout, "stdout");
    Objects.requireNonNull(stderrTail, "stderrTail");
  }

  /** Returns the result of a task whose output could not be read. */
  public static TaskResult unreadable(String reason) {
    return new TaskResult("", 0, true, "Its output could not be read: " + reason);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/**
 * What a task wrote.
 *
 * @param stdout its standard output, decoded, from the start up to the limit
 * @param stdoutBytes how many bytes it wrote there in all
 * @param truncated whether {@code stdout} is not the whole
 * @param stderrTail the last lines of its standard error
 */
public record TaskResult(String stdout, long stdoutBytes, boolean truncated, String stderrTail) {
  /** For a task that never ran. */
  public static final TaskResult NONE = new TaskResult("", 0, false, "");

  /** No component is null. */
  public TaskResult {
    Objects.requireNonNull(stdout, "stdout");
    Objects.requireNonNull(stderrTail, "stderrTail");
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/**
 * What was last said of a task.
 *
 * @param state where it stands
 * @param reason Mesos' reason, such as REASON_TASK_INVALID; empty if none was given
 * @param message in the words of who said it; empty if none
 * @param source who said it, such as SOURCE_EXECUTOR; empty for ourselves
 */
public record TaskStatus(TaskState state, String reason, String message, String source) {
  /** No component is null. */
  public TaskStatus {
    Objects.requireNonNull(state, "state");
    Objects.requireNonNull(reason, "reason");
    Objects.requireNonNull(message, "message");
    Objects.requireNonNull(source, "source");
  }

  /** That the task waits again, for the reason this status tells. */
  public TaskStatus waitsAgain() {
    return of(TaskState.QUEUED, message);
  }

  /** A status of our own. */
  public static TaskStatus of(TaskState state, String message) {
    return new TaskStatus(state, "", message, "");
  }
}

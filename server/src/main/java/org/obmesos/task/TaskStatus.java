// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/**
 * The last status of a task.
 *
 * @param state the state
 * @param reason Mesos' reason, such as REASON_TASK_INVALID; empty if there is none
 * @param message the message of the status's source; empty if there is none
 * @param source the source, such as SOURCE_EXECUTOR; empty for this server
 */
public record TaskStatus(TaskState state, String reason, String message, String source) {
  /** Rejects null components. */
  public TaskStatus {
    Objects.requireNonNull(state, "state");
    Objects.requireNonNull(reason, "reason");
    Objects.requireNonNull(message, "message");
    Objects.requireNonNull(source, "source");
  }

  /** Creates a status of this server. */
  public static TaskStatus of(TaskState state, String message) {
    return new TaskStatus(state, "", message, "");
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import org.obmesos.task.TaskState;
import org.obmesos.task.TaskStatus;

/** From Mesos' statuses to ours. */
final class Statuses {
  private static final String PREFIX = "TASK_";

  private Statuses() {}

  static TaskState state(org.apache.mesos.v1.Protos.TaskStatus said) {
    return TaskState.valueOf(said.getState().name().substring(PREFIX.length()));
  }

  /**
   * What a status means for a task of ours. One the master does not know, although it had started,
   * is lost: nobody will tell how it ended.
   */
  static TaskStatus of(org.apache.mesos.v1.Protos.TaskStatus said, TaskState before) {
    TaskState state = state(said);
    if (state == TaskState.UNKNOWN && before.hasStarted()) {
      state = TaskState.LOST;
    }
    return new TaskStatus(
        state,
        said.hasReason() ? said.getReason().name() : "",
        said.getMessage(),
        said.hasSource() ? said.getSource().name() : "");
  }

  /** Whether a status says that a launch did not happen. */
  static boolean neverStarted(TaskStatus status) {
    return switch (status.state()) {
      case DROPPED, LOST, UNKNOWN -> true;
      default -> false;
    };
  }
}

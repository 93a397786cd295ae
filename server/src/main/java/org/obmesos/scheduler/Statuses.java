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
    if (state == TaskState.UNKNOWN && before != TaskState.STAGING) {
      state = TaskState.LOST;
    }
    String message = said.getMessage();
    if (state == TaskState.KILLED && said.hasHealthy() && !said.getHealthy()) {
      state = TaskState.FAILED;
      message = "Ended, for its health checks failed: " + message;
    } else if (state == TaskState.RUNNING) {
      message = said.hasHealthy() ? (said.getHealthy() ? "healthy" : "not healthy") : "";
    }
    return new TaskStatus(
        state,
        said.hasReason() ? said.getReason().name() : "",
        message,
        said.hasSource() ? said.getSource().name() : "");
  }

  /** Whether a status says that a launch did not happen, of a task that was so far before. */
  static boolean neverStarted(TaskStatus status, TaskState before) {
    return switch (status.state()) {
      case DROPPED, LOST -> !before.hasRun();
      case UNKNOWN -> before == TaskState.STAGING;
      default -> false;
    };
  }

  /** Whether a task has ended because nothing is heard of its agent. */
  static boolean isAgentAway(TaskState before, TaskState end) {
    return before == TaskState.UNREACHABLE
        || end == TaskState.LOST
        || end == TaskState.GONE
        || end == TaskState.GONE_BY_OPERATOR;
  }

  /** Whether a task has ended in a way that another run can mend. */
  static boolean isInVain(TaskStatus status) {
    return switch (status.state()) {
      case FAILED, LOST, DROPPED, GONE, GONE_BY_OPERATOR -> true;
      default -> false;
    };
  }
}

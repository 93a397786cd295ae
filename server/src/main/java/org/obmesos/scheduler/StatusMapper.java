// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import org.apache.mesos.v1.Protos;
import org.obmesos.task.TaskState;
import org.obmesos.task.TaskStatus;

/** Converts the statuses of Mesos. */
final class StatusMapper {
  private static final String PREFIX = "TASK_";

  /** Precedes some 40 lines on a control group (the agent's memory isolator, memory.cpp). */
  private static final String MEMORY_STATISTICS = "\n\nMEMORY STATISTICS";

  private StatusMapper() {}

  /** Returns whether an update says that the executor of its task has ended. */
  static boolean isExecutorEnd(Protos.TaskStatus update) {
    return switch (update.getReason()) {
      case REASON_EXECUTOR_TERMINATED,
          REASON_EXECUTOR_REGISTRATION_TIMEOUT,
          REASON_EXECUTOR_REREGISTRATION_TIMEOUT,
          REASON_EXECUTOR_UNREGISTERED,
          REASON_CONTAINER_LAUNCH_FAILED,
          REASON_CONTAINER_LIMITATION,
          REASON_CONTAINER_LIMITATION_MEMORY,
          REASON_CONTAINER_LIMITATION_DISK ->
          update.hasExecutorId();
      default -> false;
    };
  }

  static TaskState state(Protos.TaskStatus update) {
    return TaskState.valueOf(update.getState().name().substring(PREFIX.length()));
  }

  /**
   * Converts an update. Mesos ends an unhealthy task as KILLED with {@code healthy} false
   * (docs/health-checks.md); nobody killed it, so here it has FAILED.
   */
  static TaskStatus status(Protos.TaskStatus update) {
    TaskState state = state(update);
    String message = withoutStatistics(update.getMessage());
    if (state == TaskState.KILLED && update.hasHealthy() && !update.getHealthy()) {
      state = TaskState.FAILED;
      message = "Ended because its health checks failed: " + message;
    } else if (state == TaskState.RUNNING) {
      message = update.hasHealthy() ? (update.getHealthy() ? "healthy" : "not healthy") : "";
    }
    return new TaskStatus(
        state,
        update.hasReason() ? update.getReason().name() : "",
        message,
        update.hasSource() ? update.getSource().name() : "");
  }

  /** Returns a message up to the statistics; what comes before says the limit and the use. */
  private static String withoutStatistics(String message) {
    int statistics = message.indexOf(MEMORY_STATISTICS);
    return statistics < 0 ? message : message.substring(0, statistics);
  }
}

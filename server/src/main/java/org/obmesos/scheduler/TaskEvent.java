// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.Optional;
import org.apache.mesos.v1.Protos;
import org.obmesos.task.ResultKey;
import org.obmesos.task.ReusedResult;
import org.obmesos.task.TaskLocation;
import org.obmesos.task.TaskResult;
import org.obmesos.task.TaskStatus;
import org.obmesos.task.Usage;

/** What happens to one task; see {@link TaskStateMachine}. */
sealed interface TaskEvent {
  /**
   * Returns the update that it is about; empty if it is about none, or about one without a uuid.
   */
  default Optional<Protos.TaskStatus> update() {
    return Optional.empty();
  }

  /**
   * Placement has found an offer for a queued task.
   *
   * @param key what it computes; empty if that is not known
   */
  record Launch(TaskLocation location, Optional<ResultKey> key) implements TaskEvent {}

  /** An earlier task has computed what a queued task is to compute. */
  record Reuse(ResultKey key, ReusedResult earlier, TaskResult result) implements TaskEvent {}

  /** A queued task is not to run, and there is no result to reuse. */
  record Stale(String message) implements TaskEvent {}

  /** A queued task can never be launched. */
  record Reject(String message) implements TaskEvent {}

  /**
   * Mesos has sent a status update, or answered a reconciliation.
   *
   * @param update the update to acknowledge; empty if it has no uuid
   * @param usage what the task has used, if the update says so
   * @param result the output, if the update carries all of it
   */
  record StatusUpdate(
      TaskStatus status,
      Optional<Protos.TaskStatus> update,
      Usage usage,
      Optional<TaskResult> result)
      implements TaskEvent {}

  /** The master has refused the launch, with this message. */
  record LaunchRefused(String message) implements TaskEvent {}

  /**
   * The output of a task has been read, after an update that ends it.
   *
   * @param status the status it ends with
   * @param update the update to acknowledge; empty if it has no uuid
   */
  record OutputRead(TaskStatus status, TaskResult result, Optional<Protos.TaskStatus> update)
      implements TaskEvent {}

  /** A client asks to kill the task. */
  record Kill() implements TaskEvent {}

  /** The master has removed the framework, and all of its tasks with it. */
  record FrameworkRemoved(String message) implements TaskEvent {}
}

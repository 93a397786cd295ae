// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.util.Optional;
import org.apache.mesos.v1.Protos;
import org.obmesos.task.Task;
import org.obmesos.task.TaskResult;
import org.obmesos.task.TaskStatus;

/** What follows from a transition, once it is committed; see {@link TaskStateMachine}. */
sealed interface Effect {
  /** Tell the listener of the task's new status. */
  record Notify(Task task) implements Effect {}

  /** Acknowledge an update. */
  record Acknowledge(Protos.TaskStatus update) implements Effect {}

  /** Send a KILL call. */
  record SendKill(Task task) implements Effect {}

  /** Report the last lines of the task's output from now on. */
  record FollowOutput(Task task) implements Effect {}

  /** Report them no longer. */
  record UnfollowOutput(Task task) implements Effect {}

  /**
   * Read the whole output and continue with {@link TaskEvent.OutputRead}.
   *
   * @param status the status the task ends with
   * @param update the update to acknowledge then; empty if it has no uuid
   * @param agentAlive whether the agent can be expected to answer
   */
  record ReadOutput(
      Task task, TaskStatus status, Optional<Protos.TaskStatus> update, boolean agentAlive)
      implements Effect {}

  /** Look for an offer for a queued task, after a delay. */
  record Requeue(Task task, Duration delay) implements Effect {}

  /** The task has ended, with this result. */
  record End(Task task, TaskResult result) implements Effect {}
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

/**
 * The state of a task: QUEUED in this server, then the states of Mesos (mesos.proto, TaskState) for
 * a PARTITION_AWARE framework.
 */
public enum TaskState {
  /** Waits in this server for an offer or for other tasks. */
  QUEUED,
  /** Launched; the agent has not reported it yet. */
  STAGING,
  /** The executor has received it. */
  STARTING,
  /** It is running. */
  RUNNING,
  /** It is being killed. */
  KILLING,
  /** Ended successfully. */
  FINISHED,
  /** Ended without success. */
  FAILED,
  /** Ended by a kill. */
  KILLED,
  /** The task was invalid and was not launched. */
  ERROR,
  /** The outcome is unknown to Mesos. */
  LOST,
  /** The launch was dropped; the task did not run. */
  DROPPED,
  /** The agent is unreachable; the task can come back. */
  UNREACHABLE,
  /** The agent or the task on it no longer exists. */
  GONE,
  /** An operator marked the agent gone; the task is killed if it comes back. */
  GONE_BY_OPERATOR,
  /** The task is unknown to the master; it can come back. */
  UNKNOWN;

  /** Returns whether the task never leaves this state. */
  public boolean isTerminal() {
    return switch (this) {
      case FINISHED, FAILED, KILLED, ERROR, LOST, DROPPED, GONE, GONE_BY_OPERATOR -> true;
      case QUEUED, STAGING, STARTING, RUNNING, KILLING, UNREACHABLE, UNKNOWN -> false;
    };
  }
}

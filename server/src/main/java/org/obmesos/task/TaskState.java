// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

/**
 * Where a task stands: waiting in our queue, then Mesos' own states (mesos.proto, TaskState) for a
 * PARTITION_AWARE framework.
 */
public enum TaskState {
  /** Waits for an offer; Mesos does not know it yet. */
  QUEUED,
  /** Launched; no word from the agent yet. */
  STAGING,
  /** The executor has it. */
  STARTING,
  /** It runs. */
  RUNNING,
  /** It was told to end. */
  KILLING,
  /** Ended with status 0. */
  FINISHED,
  /** Ended otherwise. */
  FAILED,
  /** Ended because it was killed. */
  KILLED,
  /** The launch was not valid. */
  ERROR,
  /** Mesos no longer knows what became of it. */
  LOST,
  /** The launch did not happen. */
  DROPPED,
  /** Its agent does not answer; it can come back. */
  UNREACHABLE,
  /** Its agent is gone. */
  GONE,
  /** An operator says that its agent is gone; should it come back, it is killed. */
  GONE_BY_OPERATOR,
  /** The master does not know it; it can come back. */
  UNKNOWN;

  /** Whether the task will never leave this state. */
  public boolean isTerminal() {
    return switch (this) {
      case FINISHED, FAILED, KILLED, ERROR, LOST, DROPPED, GONE, GONE_BY_OPERATOR -> true;
      case QUEUED, STAGING, STARTING, RUNNING, KILLING, UNREACHABLE, UNKNOWN -> false;
    };
  }

  /** Whether the task was seen to run, so that launching it again could run it twice. */
  public boolean hasRun() {
    return switch (this) {
      case QUEUED, STAGING, STARTING, DROPPED, ERROR -> false;
      case RUNNING,
          KILLING,
          FINISHED,
          FAILED,
          KILLED,
          LOST,
          UNREACHABLE,
          GONE,
          GONE_BY_OPERATOR,
          UNKNOWN ->
          true;
    };
  }
}

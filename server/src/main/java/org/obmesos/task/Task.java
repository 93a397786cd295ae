// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;

/**
 * A block and its current state.
 *
 * @param sequence the position in the order of submission, from 1
 * @param block what was submitted
 * @param launch its launches so far
 * @param status the last status
 * @param times when it was submitted, started and ended
 */
public record Task(long sequence, Block block, LaunchState launch, TaskStatus status, Times times) {
  /** Rejects null components. */
  public Task {
    Objects.requireNonNull(block, "block");
    Objects.requireNonNull(launch, "launch");
    Objects.requireNonNull(status, "status");
    Objects.requireNonNull(times, "times");
  }

  /** Creates a task for a block that has just been submitted. */
  public static Task submitted(long sequence, Block block, Instant now) {
    return new Task(
        sequence,
        block,
        LaunchState.NONE,
        TaskStatus.of(TaskState.QUEUED, ""),
        Times.submittedAt(now));
  }

  /** Returns the task id. */
  public TaskId id() {
    return block.id();
  }

  /** Returns the current state. */
  public TaskState state() {
    return status.state();
  }

  /** Returns this task with a new status. */
  public Task with(TaskStatus newStatus, Instant now) {
    return new Task(sequence, block, launch, newStatus, times.at(newStatus.state(), now));
  }

  /** Returns this task with another block. */
  public Task with(Block newBlock) {
    return new Task(sequence, newBlock, launch, status, times);
  }

  /** Returns this task with another launch state. */
  public Task with(LaunchState newLaunch) {
    return new Task(sequence, block, newLaunch, status, times);
  }

  /** Returns how long the last run has lasted; zero if the task has not started. */
  public Duration runTime(Instant now) {
    return times.started().map(started -> Duration.between(started, now)).orElse(Duration.ZERO);
  }

  /** Returns this task without its body. */
  public Task withoutBody() {
    return new Task(sequence, block.withoutBody(), launch, status, times);
  }

  /**
   * Returns the id of the current launch at the master. Mesos never accepts a task id twice
   * (common/validation.cpp), so each further launch appends its number.
   */
  public String mesosTaskId() {
    return launch.attempt() == 0 ? id().value() : id().value() + "." + launch.attempt();
  }
}

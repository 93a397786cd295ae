// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * A block and what became of it.
 *
 * @param sequence its place in the order of submission, from 1
 * @param block what was asked
 * @param placing where it was sent
 * @param status what was last said of it
 * @param times when
 */
public record Task(long sequence, Block block, Placing placing, TaskStatus status, Times times) {
  /** No component is null. */
  public Task {
    Objects.requireNonNull(block, "block");
    Objects.requireNonNull(placing, "placing");
    Objects.requireNonNull(status, "status");
    Objects.requireNonNull(times, "times");
  }

  /** A block that has just come in. */
  public static Task submitted(long sequence, Block block, Instant now) {
    return new Task(
        sequence,
        block,
        Placing.NONE,
        TaskStatus.of(TaskState.QUEUED, ""),
        new Times(now, Optional.empty(), Optional.empty()));
  }

  /** Its identity. */
  public TaskId id() {
    return block.id();
  }

  /** Where it stands. */
  public TaskState state() {
    return status.state();
  }

  /** The same task with a newer status. */
  public Task with(TaskStatus newer, Instant now) {
    return new Task(sequence, block, placing, newer, times.at(newer.state(), now));
  }

  /** The same task with what it runs, which it had to wait for. */
  public Task with(Program program) {
    return new Task(sequence, block.with(program), placing, status, times);
  }

  /** How long its last run has lasted until now. */
  public Duration lasted(Instant now) {
    return times.started().map(started -> Duration.between(started, now)).orElse(Duration.ZERO);
  }

  /** The same task sent somewhere else. */
  public Task with(Placing newer) {
    return new Task(sequence, block, newer, status, times);
  }

  /** The same task without the text it ran. */
  public Task withoutBody() {
    return new Task(sequence, block.withoutBody(), placing, status, times);
  }

  /**
   * The id under which this launch is known to Mesos: ids are never used twice there, so a second
   * launch appends its number.
   */
  public String mesosTaskId() {
    return placing.attempt() == 0 ? id().value() : id().value() + "." + placing.attempt();
  }
}

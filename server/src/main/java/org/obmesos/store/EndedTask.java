// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import java.time.Instant;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskState;

/**
 * What is kept in memory of an ended task; the rest is in the store.
 *
 * @param id the task id
 * @param sequence the position in the order of submission
 * @param name the block's name; empty if it has none
 * @param group the group it is a member of; empty if it is none
 * @param state the terminal state
 * @param message the message of the last status
 * @param ended when it ended
 */
public record EndedTask(
    TaskId id,
    long sequence,
    String name,
    String group,
    TaskState state,
    String message,
    Instant ended) {
  /** Returns the summary of a task in a terminal state. */
  public static EndedTask of(Task task) {
    return new EndedTask(
        task.id(),
        task.sequence(),
        task.block().origin().name(),
        task.block().origin().group(),
        task.state(),
        task.status().message(),
        task.times().ended().orElseThrow());
  }
}

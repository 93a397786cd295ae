// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import java.time.Instant;
import org.obmesos.task.Origin;
import org.obmesos.task.ResultKey;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskState;

/**
 * What is kept in memory of an ended task; the rest is in the store.
 *
 * @param id the task id
 * @param sequence the position in the order of submission
 * @param origin the block and the document it comes from
 * @param state the terminal state
 * @param message the message of the last status
 * @param ended when it ended
 * @param key the digest of its {@link org.obmesos.task.ResultKey}; empty if it has none
 */
public record EndedTask(
    TaskId id,
    long sequence,
    Origin origin,
    TaskState state,
    String message,
    Instant ended,
    String key) {
  /** Returns the block's name; empty if it has none. */
  public String name() {
    return origin.name();
  }

  /** Returns the group it is a member of; empty if it is none. */
  public String group() {
    return origin.group();
  }

  /** Returns the summary of a task in a terminal state. */
  public static EndedTask of(Task task) {
    return new EndedTask(
        task.id(),
        task.sequence(),
        task.block().origin(),
        task.state(),
        task.status().message(),
        task.times().ended().orElseThrow(),
        task.launch().key().map(ResultKey::digest).orElse(""));
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;

/**
 * The changes of one transaction. All of them are stored, or none.
 *
 * @param inserted tasks that are not in the store
 * @param updated tasks whose launch state, status or times have changed
 * @param blocks tasks in the store whose block has changed: its program was submitted later, or it
 *     has more memory
 * @param results the results of tasks that end with this transaction
 * @param deleted ended tasks to delete with their results
 * @param frameworkId the id of a new framework
 * @param executors the descriptions of new executors, which the store does not look into, by their
 *     ids
 */
public record Changes(
    Collection<Task> inserted,
    Collection<Task> updated,
    Collection<Task> blocks,
    Map<TaskId, TaskResult> results,
    Collection<TaskId> deleted,
    Optional<String> frameworkId,
    Map<String, byte[]> executors) {
  /** Copies the collections. */
  public Changes {
    inserted = List.copyOf(inserted);
    updated = List.copyOf(updated);
    blocks = List.copyOf(blocks);
    results = Map.copyOf(results);
    deleted = List.copyOf(deleted);
    Objects.requireNonNull(frameworkId, "frameworkId");
    executors = Map.copyOf(executors);
  }

  /** Returns the insertion of tasks. */
  public static Changes insert(Collection<Task> tasks) {
    return new Changes(
        tasks, List.of(), List.of(), Map.of(), List.of(), Optional.empty(), Map.of());
  }

  /** Returns the update of a task that has not ended. */
  public static Changes update(Task task) {
    return new Changes(
        List.of(), List.of(task), List.of(), Map.of(), List.of(), Optional.empty(), Map.of());
  }

  /** Returns the update of a task that has ended. */
  public static Changes end(Task task, TaskResult result) {
    return new Changes(
        List.of(),
        List.of(task),
        List.of(),
        Map.of(task.id(), result),
        List.of(),
        Optional.empty(),
        Map.of());
  }

  /** Returns whether there is nothing to store. */
  public boolean isEmpty() {
    return inserted.isEmpty()
        && updated.isEmpty()
        && blocks.isEmpty()
        && results.isEmpty()
        && deleted.isEmpty()
        && frameworkId.isEmpty()
        && executors.isEmpty();
  }
}

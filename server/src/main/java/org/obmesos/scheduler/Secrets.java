// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;

/**
 * The values of secret variables, until their tasks have ended. They are in memory only: after a
 * restart, tasks that have not been launched wait for whoever submitted them. Used on the loop.
 */
final class Secrets {
  private final Map<TaskId, Map<String, String>> values = new HashMap<>();

  /**
   * Takes the secrets of a task in; one that has ended needs none.
   *
   * @param known the task, if it was submitted before
   * @return whether they were not known
   */
  boolean learn(TaskId id, Optional<Task> known, Map<String, String> secrets) {
    boolean over = known.map(task -> task.state().isTerminal()).orElse(false);
    return !over && !secrets.isEmpty() && values.put(id, Map.copyOf(secrets)) == null;
  }

  Map<String, String> of(Task task) {
    return values.getOrDefault(task.id(), Map.of());
  }

  void forget(TaskId id) {
    values.remove(id);
  }

  /** Why a task cannot be launched for want of its secrets; empty if it can. */
  Optional<String> missing(Task task) {
    return of(task).keySet().containsAll(task.block().program().around().secrets())
        ? Optional.empty()
        : Optional.of("waits for its secrets, which only the Emacs has that submitted it");
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;

/**
 * The values of secret variables, in memory only and only until their task has ended. After a
 * restart a task that was not launched waits until it is submitted again. Used on the scheduler
 * thread.
 */
final class Secrets {
  private final Map<TaskId, Map<String, String>> values = new HashMap<>();

  /**
   * Keeps the secrets of a task.
   *
   * @return whether there were none before
   */
  boolean put(TaskId id, Map<String, String> secrets) {
    return !secrets.isEmpty() && values.put(id, Map.copyOf(secrets)) == null;
  }

  Map<String, String> get(Task task) {
    return values.getOrDefault(task.id(), Map.of());
  }

  void remove(TaskId id) {
    values.remove(id);
  }

  /** Returns why a task cannot be launched for lack of its secrets; empty if it can. */
  Optional<String> missing(Task task) {
    return get(task).keySet().containsAll(task.block().program().executionEnvironment().secrets())
        ? Optional.empty()
        : Optional.of("waits for its secrets, which only the Emacs has that submitted it");
  }
}

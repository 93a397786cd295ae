// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.HashMap;
import java.util.Map;
import org.obmesos.task.Task;

/** How many more tasks of each group can be launched at a time; see {@code :limit}. */
final class GroupLimits {
  private final TaskRegistry registry;
  private final Map<String, Integer> admitted = new HashMap<>();

  GroupLimits(TaskRegistry registry) {
    this.registry = registry;
  }

  /** Counts a queued task in, and returns whether its group's limit allows that. */
  boolean admit(Task task) {
    int limit = task.block().runPolicy().limit();
    String group = task.block().origin().group();
    if (limit == 0 || group.isEmpty()) {
      return true;
    }
    int before = admitted.computeIfAbsent(group, registry::launchedOfGroup);
    if (before >= limit) {
      return false;
    }
    admitted.put(group, before + 1);
    return true;
  }

  /** Returns why a task that is not admitted waits. */
  static String reason(Task task) {
    return "waits for another member of its group to end: %d can run at once"
        .formatted(task.block().runPolicy().limit());
  }
}

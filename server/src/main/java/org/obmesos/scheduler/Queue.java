// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.TreeSet;
import org.obmesos.task.Task;

/** The tasks that wait, the highest priority first, then in the order of their submission. */
final class Queue implements Iterable<Task> {
  private static final Comparator<Task> TURN =
      Comparator.comparing((Task task) -> -task.block().limits().priority())
          .thenComparing(Task::sequence);

  private final TreeSet<Task> tasks = new TreeSet<>(TURN);

  void add(Task task) {
    tasks.add(task);
  }

  boolean remove(Task task) {
    return tasks.remove(task);
  }

  boolean isEmpty() {
    return tasks.isEmpty();
  }

  @Override
  public Iterator<Task> iterator() {
    return Collections.unmodifiableSet(tasks).iterator();
  }
}

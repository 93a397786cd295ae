// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.obmesos.store.EndedTask;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;

/**
 * How long ended tasks are kept, in memory, in the store and, in the embedded cluster, on disk. A
 * task is kept longer while a task that has not ended depends on it or is a member of its group.
 *
 * @param age how long after its end a task is kept; above zero
 * @param count the number of ended tasks to keep at most, from 1
 */
public record Retention(Duration age, int count) {
  /** 30 days and 10,000 tasks. */
  public static final Retention DEFAULT = new Retention(Duration.ofDays(30), 10_000);

  /** The share of {@code count} by which it is exceeded before tasks are deleted, in one go. */
  private static final int SLACK = 20;

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a component is outside its range
   */
  public Retention {
    if (age.isNegative() || age.isZero() || count < 1) {
      throw new IllegalArgumentException("nothing would be kept: " + age + ", " + count);
    }
  }

  /**
   * Returns whether there are so many ended tasks that {@link #expired} should be asked now,
   * instead of at the next periodic time.
   */
  boolean isExceeded(int ended) {
    return ended > count + count / SLACK;
  }

  /**
   * Returns the tasks to delete.
   *
   * @param ended the tasks that have ended, the earliest end first
   * @param live the tasks that have not
   */
  List<TaskId> expired(Collection<EndedTask> ended, Collection<Task> live, Instant now) {
    Set<TaskId> needed = new HashSet<>();
    Set<String> groups = new HashSet<>();
    for (Task task : live) {
      needed.addAll(task.block().requirements().after());
      groups.add(task.block().origin().group());
    }
    groups.remove("");
    Instant oldest = now.minus(age);
    int excess = ended.size() - count;
    List<TaskId> expired = new ArrayList<>();
    for (EndedTask task : ended) {
      if (expired.size() >= excess && !task.ended().isBefore(oldest)) {
        break;
      }
      if (!needed.contains(task.id()) && !groups.contains(task.group())) {
        expired.add(task.id());
      }
    }
    return expired;
  }
}

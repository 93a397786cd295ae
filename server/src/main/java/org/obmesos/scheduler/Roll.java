// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.obmesos.task.Block;
import org.obmesos.task.InvalidBlockException;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskState;

/**
 * All tasks as they stand: those that wait, those that are launched, those that are to be killed,
 * and those whose end is on its way to the store. Used on the scheduler loop.
 */
final class Roll {
  private final Map<TaskId, Task> tasks = new LinkedHashMap<>();
  private final Map<String, TaskId> launches = new HashMap<>();
  private final Set<TaskId> toKill = new HashSet<>();
  private final Set<TaskId> ending = new HashSet<>();
  private final Queue queue = new Queue();
  private long sequence;

  /** Takes in what an earlier server has left. */
  void load(List<Task> found) {
    for (Task task : found) {
      tasks.put(task.id(), task);
      sequence = Math.max(sequence, task.sequence());
      if (task.state() != TaskState.QUEUED && !task.state().isTerminal()) {
        launches.put(task.mesosTaskId(), task.id());
        if (task.state() == TaskState.KILLING) {
          toKill.add(task.id());
        }
      }
    }
  }

  long nextSequence() {
    return ++sequence;
  }

  /**
   * Checks that each block comes after tasks that are known, or among the blocks before it; so
   * nothing can wait for itself.
   *
   * @throws InvalidBlockException if one does not
   */
  void checkOrder(Collection<Block> blocks) {
    Set<TaskId> before = new HashSet<>();
    for (Block block : blocks) {
      if (!tasks.containsKey(block.id())) {
        for (TaskId other : block.needs().after()) {
          if (!tasks.containsKey(other) && !before.contains(other)) {
            throw new InvalidBlockException(
                "after", "a task that is known, which " + other + " is not");
          }
        }
      }
      before.add(block.id());
    }
  }

  /** Whether it waits for what it is to run. */
  boolean awaitsBody(Task task) {
    return task.state() == TaskState.QUEUED
        && task.block().program().awaitsBody()
        && !ending.contains(task.id());
  }

  /** The task as it stands now. */
  Optional<Task> get(TaskId id) {
    return Optional.ofNullable(tasks.get(id));
  }

  /** Those of the given tasks that are known. */
  List<Task> known(Collection<TaskId> ids) {
    return ids.stream().flatMap(id -> get(id).stream()).toList();
  }

  /** All tasks, in the order of their submission. */
  List<Task> all() {
    return List.copyOf(tasks.values());
  }

  /** Writes down how a task stands now. */
  void put(Task task) {
    tasks.put(task.id(), task);
  }

  void remove(Task task) {
    tasks.remove(task.id());
  }

  /** Whether nothing has happened to the task since it was as given. */
  boolean isStill(Task task) {
    return !ending.contains(task.id()) && task.equals(tasks.get(task.id()));
  }

  Queue queue() {
    return queue;
  }

  /** A task in the queue whose constraints look at the given one. */
  Optional<Task> waitingPeer(Task task) {
    return StreamSupport.stream(queue.spliterator(), false)
        .filter(other -> !other.block().needs().constraints().isEmpty())
        .filter(other -> other.block().origin().isPeerOf(task.block().origin()))
        .findFirst();
  }

  /** A task that waited is launched. */
  void launched(Task task) {
    put(task);
    launches.put(task.mesosTaskId(), task.id());
  }

  /** The launch of a task has come to nothing, or the task has ended. */
  void landed(Task task) {
    launches.remove(task.mesosTaskId());
  }

  /** The task that was launched last under the given name. */
  Optional<Task> launchedAs(String mesosTaskId) {
    return Optional.ofNullable(launches.get(mesosTaskId)).flatMap(this::get);
  }

  /** The tasks that Mesos knows. */
  List<Task> launched() {
    return known(launches.values());
  }

  void markToKill(Task task) {
    toKill.add(task.id());
  }

  boolean isToKill(Task task) {
    return toKill.contains(task.id());
  }

  List<Task> toKill() {
    return known(toKill);
  }

  /** The task has ended, and its last words are being read. */
  void markEnding(Task task) {
    ending.add(task.id());
  }

  boolean isEnding(Task task) {
    return ending.contains(task.id());
  }

  /** The end of the task is in the store. */
  void ended(Task last) {
    put(last.withoutBody());
    ending.remove(last.id());
    toKill.remove(last.id());
    landed(last);
  }
}

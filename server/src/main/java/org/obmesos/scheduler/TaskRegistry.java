// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.obmesos.store.EndedTask;
import org.obmesos.task.Origin;
import org.obmesos.task.ResultKey;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskState;
import org.obmesos.task.TaskStatus;
import org.obmesos.task.Usage;

/**
 * The committed tasks in memory: the tasks that have not ended, a summary of each ended task, and
 * the queue of the tasks that wait for an offer. Used on the scheduler thread.
 */
final class TaskRegistry {
  /** How many tasks with one key are compared to find one of the same block. */
  private static final int MOST_COMPARED = 1000;

  private static final Comparator<Task> QUEUE_ORDER =
      Comparator.comparing((Task task) -> -task.block().runPolicy().priority())
          .thenComparing(Task::sequence);

  private final Map<TaskId, Task> live = new LinkedHashMap<>();
  private final Map<TaskId, EndedTask> ended = new LinkedHashMap<>();
  private final Map<String, TaskId> taskIdByMesosTaskId = new LinkedHashMap<>();
  private final TreeSet<Task> queue = new TreeSet<>(QUEUE_ORDER);

  /** The tasks of each block, ended or not. */
  private final Map<BlockName, Set<TaskId>> tasksOfBlocks = new HashMap<>();

  /** The tasks that have finished with each key, in the order of submission. */
  private final Map<String, TreeMap<Long, EndedTask>> finished = new HashMap<>();

  /** The tasks of each session that have not ended, by their sequence numbers. */
  private final Map<String, TreeMap<Long, TaskId>> liveOfSessions = new HashMap<>();

  /** The number of launched tasks of each group. */
  private final Map<String, Integer> launchedOfGroups = new HashMap<>();

  /** Why queued tasks wait. Derived from offers and other tasks, so it is not stored. */
  private final Map<TaskId, String> pendingReasons = new HashMap<>();

  /** What running tasks have used so far, where their last update will not say it. */
  private final Map<TaskId, Usage> usages = new HashMap<>();

  private Optional<String> frameworkId = Optional.empty();
  private long sequence;

  /** The size of the bodies of the tasks that have not ended, in characters. */
  private long bodyChars;

  /** What a block is called, and in which document. */
  record BlockName(String name, String document) {
    static BlockName of(Origin origin) {
      return new BlockName(origin.name(), origin.document());
    }
  }

  /** Loads what the store has. */
  void load(
      Optional<String> storedFrameworkId,
      Collection<Task> liveTasks,
      Collection<EndedTask> endedTasks) {
    frameworkId = storedFrameworkId;
    liveTasks.forEach(this::put);
    endedTasks.forEach(
        task -> {
          putEnded(task);
          sequence = Math.max(sequence, task.sequence());
        });
  }

  /** Returns the framework id; empty before the first SUBSCRIBED. */
  Optional<String> frameworkId() {
    return frameworkId;
  }

  /** Applies a committed framework id. */
  void setFrameworkId(String id) {
    frameworkId = Optional.of(id);
  }

  /** Applies a committed task. */
  void put(Task task) {
    sequence = Math.max(sequence, task.sequence());
    Task before = live.get(task.id());
    if (before != null) {
      queue.remove(before);
      taskIdByMesosTaskId.remove(before.mesosTaskId());
      countLaunched(before, -1);
      bodyChars -= before.block().program().body().length();
    }
    if (task.state().isTerminal() || task.state() == TaskState.QUEUED) {
      usages.remove(task.id());
    }
    if (task.state().isTerminal()) {
      live.remove(task.id());
      removeFromSession(task);
      putEnded(EndedTask.of(task));
    } else {
      live.put(task.id(), task);
      task.block()
          .session()
          .ifPresent(
              session ->
                  liveOfSessions
                      .computeIfAbsent(session.name(), name -> new TreeMap<>())
                      .put(task.sequence(), task.id()));
      putName(task.block().origin(), task.id());
      if (task.state() != TaskState.QUEUED) {
        taskIdByMesosTaskId.put(task.mesosTaskId(), task.id());
      }
      countLaunched(task, 1);
      bodyChars += task.block().program().body().length();
    }
    if (task.state() != TaskState.QUEUED) {
      pendingReasons.remove(task.id());
    }
  }

  private void putEnded(EndedTask task) {
    ended.put(task.id(), task);
    putName(task.origin(), task.id());
    if (task.state() == TaskState.FINISHED && !task.key().isEmpty()) {
      finished.computeIfAbsent(task.key(), key -> new TreeMap<>()).put(task.sequence(), task);
    }
  }

  private void removeFromSession(Task task) {
    task.block()
        .session()
        .ifPresent(
            session ->
                liveOfSessions.computeIfPresent(
                    session.name(),
                    (name, tasks) -> {
                      tasks.remove(task.sequence());
                      return tasks.isEmpty() ? null : tasks;
                    }));
  }

  /** Returns the last task of a session that has not ended and was submitted before another one. */
  Optional<Task> liveBefore(String session, Task task) {
    return Optional.ofNullable(liveOfSessions.get(session))
        .map(tasks -> tasks.lowerEntry(task.sequence()))
        .flatMap(entry -> live(entry.getValue()));
  }

  private void putName(Origin origin, TaskId id) {
    tasksOfBlocks.computeIfAbsent(BlockName.of(origin), name -> new HashSet<>()).add(id);
  }

  /** Returns the tasks of all blocks with the name of a block in its document. */
  Set<TaskId> tasksOf(String name, String document) {
    return tasksOfBlocks.getOrDefault(new BlockName(name, document), Set.of());
  }

  private void countLaunched(Task task, int change) {
    String group = task.block().origin().group();
    if (task.state() != TaskState.QUEUED && !group.isEmpty()) {
      launchedOfGroups.merge(group, change, (now, by) -> now + by == 0 ? null : now + by);
    }
  }

  /** Returns the number of tasks of a group that are launched and have not ended. */
  int launchedOfGroup(String group) {
    return launchedOfGroups.getOrDefault(group, 0);
  }

  /** Applies the deletion of ended tasks. */
  void remove(Collection<TaskId> ids) {
    for (TaskId id : ids) {
      EndedTask task = ended.remove(id);
      if (task != null) {
        tasksOfBlocks.computeIfPresent(
            BlockName.of(task.origin()),
            (name, tasks) -> {
              tasks.remove(id);
              return tasks.isEmpty() ? null : tasks;
            });
        finished.computeIfPresent(
            task.key(),
            (key, tasks) -> {
              tasks.remove(task.sequence());
              return tasks.isEmpty() ? null : tasks;
            });
      }
    }
  }

  /**
   * Returns the last task that has finished with a key; a task of the given block, whose result its
   * document shows, before others.
   */
  Optional<EndedTask> finishedWith(ResultKey key, Origin origin) {
    BlockName block = BlockName.of(origin);
    return Optional.ofNullable(finished.get(key.digest()))
        .map(
            tasks ->
                tasks.descendingMap().values().stream()
                    .limit(MOST_COMPARED)
                    .filter(task -> BlockName.of(task.origin()).equals(block))
                    .findFirst()
                    .orElseGet(() -> tasks.lastEntry().getValue()));
  }

  /** Returns the size of the bodies of the tasks that have not ended, in characters. */
  long bodyChars() {
    return bodyChars;
  }

  /** Returns the highest sequence number used so far. */
  long lastSequence() {
    return sequence;
  }

  /** Returns whether a task is known, ended or not. */
  boolean contains(TaskId id) {
    return live.containsKey(id) || ended.containsKey(id);
  }

  /** Returns a task that has not ended. */
  Optional<Task> live(TaskId id) {
    return Optional.ofNullable(live.get(id));
  }

  /** Returns all tasks that have not ended. */
  Collection<Task> live() {
    return live.values();
  }

  Optional<EndedTask> ended(TaskId id) {
    return Optional.ofNullable(ended.get(id));
  }

  /** Returns the tasks that have ended, the earliest end first. */
  Collection<EndedTask> ended() {
    return ended.values();
  }

  /** Returns the task whose current launch has the given id at the master. */
  Optional<Task> byMesosTaskId(String mesosTaskId) {
    return Optional.ofNullable(taskIdByMesosTaskId.get(mesosTaskId)).flatMap(this::live);
  }

  /** Returns the tasks that are launched and have not ended. */
  List<Task> launched() {
    return taskIdByMesosTaskId.values().stream().map(live::get).toList();
  }

  /** Adds a queued task to the queue for offers. */
  void enqueue(Task task) {
    queue.add(task);
  }

  /** Takes a task out of the queue, because it is being launched. */
  void dequeue(Task task) {
    queue.remove(task);
  }

  /** Returns the queue: the highest priority first, then the order of submission. */
  Collection<Task> queue() {
    return queue;
  }

  /** Returns whether it is known why a queued task waits. */
  boolean hasPendingReason(TaskId id) {
    return pendingReasons.containsKey(id);
  }

  /**
   * Sets why a queued task waits.
   *
   * @return whether it has changed
   */
  boolean setPendingReason(TaskId id, String reason) {
    return !reason.equals(pendingReasons.put(id, reason));
  }

  /** Sets what a task has used so far; the peak memory is the largest of all. */
  void setUsage(Task task, Usage usage) {
    if (byMesosTaskId(task.mesosTaskId()).isPresent()) {
      usages.merge(task.id(), usage, Usage::later);
    }
  }

  /** Returns what a running task has used, as far as {@link #setUsage} was told. */
  Usage usage(Task task) {
    Usage usage = usages.get(task.id());
    return usage == null ? Usage.UNKNOWN : usage.lasting(task.runTime(Instant.now()));
  }

  /**
   * Returns a task as clients see it: a queued one with the reason it waits for, a running one with
   * what it has used.
   */
  Task view(Task task) {
    if (usages.containsKey(task.id())) {
      return task.with(task.launch().used(usage(task)));
    }
    String reason = task.state() == TaskState.QUEUED ? pendingReasons.get(task.id()) : null;
    return reason == null
        ? task
        : task.with(TaskStatus.of(TaskState.QUEUED, reason), Instant.EPOCH);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.mesos.v1.Protos;
import org.obmesos.store.Changes;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;

/**
 * The changes of a transaction that is being prepared: the committed tasks with the changes of the
 * operations before. Used on the scheduler thread.
 */
final class Draft {
  private final TaskRegistry committed;
  private final Map<TaskId, Task> tasks = new LinkedHashMap<>();
  private final Set<TaskId> inserted = new LinkedHashSet<>();
  private final Set<TaskId> updated = new LinkedHashSet<>();
  private final Set<TaskId> blocks = new LinkedHashSet<>();
  private final Set<TaskId> deleted = new LinkedHashSet<>();
  private final Map<TaskId, TaskResult> results = new HashMap<>();
  private final List<Effect> effects = new ArrayList<>();
  private final Map<String, byte[]> executors = new HashMap<>();
  private Optional<String> frameworkId = Optional.empty();
  private long sequence;

  Draft(TaskRegistry committed) {
    this.committed = committed;
    this.sequence = committed.lastSequence();
  }

  /** Returns a task that has not ended as this transaction leaves it. */
  Optional<Task> live(TaskId id) {
    Task changed = tasks.get(id);
    return changed == null
        ? committed.live(id)
        : Optional.of(changed).filter(task -> !task.state().isTerminal());
  }

  /** Returns whether a task is known, ended or not. */
  boolean contains(TaskId id) {
    return tasks.containsKey(id) || (committed.contains(id) && !deleted.contains(id));
  }

  /** Returns the next sequence number. */
  long nextSequence() {
    return ++sequence;
  }

  /** Adds a new task. */
  void insert(Task task) {
    tasks.put(task.id(), task);
    inserted.add(task.id());
  }

  /** Changes the program of a task that waits for it. */
  void updateProgram(Task task) {
    tasks.put(task.id(), task);
    blocks.add(task.id());
  }

  /**
   * Deletes an ended task.
   *
   * @return false if the task has not ended or is not known
   */
  boolean delete(TaskId id) {
    return committed.ended(id).isPresent() && deleted.add(id);
  }

  /** Returns the tasks that those that have not ended depend on. */
  Set<TaskId> dependencies() {
    return Stream.concat(committed.live().stream().map(Task::id), tasks.keySet().stream())
        .flatMap(id -> live(id).stream())
        .flatMap(task -> task.block().requirements().after().stream())
        .collect(Collectors.toSet());
  }

  /** Adds the description of a new executor. */
  void putExecutor(Protos.ExecutorInfo executor) {
    executors.put(executor.getExecutorId().getValue(), executor.toByteArray());
  }

  /** Changes the framework id. */
  void setFrameworkId(String id) {
    frameworkId = Optional.of(id);
  }

  /** Applies an event to a task; one that has ended or is not known stays as it is. */
  void apply(TaskId id, TaskEvent event) {
    live(id)
        .ifPresent(
            task -> {
              TaskStateMachine.Transition transition =
                  TaskStateMachine.transition(task, event, time(event));
              if (!transition.task().equals(task)) {
                tasks.put(id, transition.task());
                updated.add(id);
                if (!transition.task().block().equals(task.block())) {
                  blocks.add(id);
                }
              }
              transition.result().ifPresent(result -> results.put(id, result));
              effects.addAll(transition.effects());
            });
  }

  /** Returns what is to be stored. */
  Changes changes() {
    Set<TaskId> onlyUpdated = new LinkedHashSet<>(updated);
    onlyUpdated.removeAll(inserted);
    Set<TaskId> onlyBlocks = new LinkedHashSet<>(blocks);
    onlyBlocks.removeAll(inserted);
    return new Changes(
        of(inserted), of(onlyUpdated), of(onlyBlocks), results, deleted, frameworkId, executors);
  }

  private List<Task> of(Collection<TaskId> ids) {
    return ids.stream().map(tasks::get).toList();
  }

  /** Returns when an event came about: now, unless its update has a time. */
  private static Instant time(TaskEvent event) {
    return event
        .update()
        .filter(Protos.TaskStatus::hasTimestamp)
        .map(update -> Instant.ofEpochMilli((long) (update.getTimestamp() * 1000)))
        .orElseGet(Instant::now);
  }

  /** Applies the committed changes to the registry. */
  void applyTo(TaskRegistry registry) {
    registry.remove(deleted);
    tasks.values().forEach(registry::put);
    frameworkId.ifPresent(registry::setFrameworkId);
  }

  /** Runs the effects in the order of their events. */
  void forEachEffect(Consumer<Effect> run) {
    effects.forEach(run);
  }
}

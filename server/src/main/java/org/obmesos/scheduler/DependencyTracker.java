// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.obmesos.store.EndedTask;
import org.obmesos.task.Block;
import org.obmesos.task.InvalidBlockException;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskState;

/**
 * The dependencies between tasks: a queued task waits until those in its {@code after} have
 * finished. A dependency that is not known any more was deleted after it had finished. Used on the
 * scheduler thread.
 */
final class DependencyTracker {
  private static final int MAX_NAMES = 3;

  private final TaskRegistry registry;
  private final Map<TaskId, Set<TaskId>> dependents = new HashMap<>();

  DependencyTracker(TaskRegistry registry) {
    this.registry = registry;
  }

  /**
   * Checks that each block depends only on known tasks and on blocks before it, so that there is no
   * cycle.
   *
   * @throws InvalidBlockException if one does not
   */
  static void checkOrder(Collection<Block> blocks, Draft draft) {
    Set<TaskId> before = new HashSet<>();
    for (Block block : blocks) {
      if (!draft.contains(block.id())) {
        for (TaskId other : block.requirements().after()) {
          if (!draft.contains(other) && !before.contains(other)) {
            throw new InvalidBlockException(
                "after", "a task that is known, which " + other + " is not");
          }
        }
      }
      before.add(block.id());
    }
  }

  /** Returns why a task can never be launched: a dependency has ended without success. */
  Optional<String> failed(Task task) {
    return task.block().requirements().after().stream()
        .flatMap(id -> registry.ended(id).stream())
        .filter(other -> other.state() != TaskState.FINISHED)
        .findFirst()
        .map(
            other ->
                "needs %s (%s), which is %s: %s"
                    .formatted(name(other), other.id(), other.state(), other.message()));
  }

  /**
   * Returns why a task cannot be launched yet; empty if it can. {@link #release} returns it once
   * the dependencies it waits for have ended.
   */
  Optional<String> unmet(Task task) {
    List<String> names = new ArrayList<>();
    for (TaskId id : task.block().requirements().after()) {
      registry
          .live(id)
          .ifPresent(
              other -> {
                dependents.computeIfAbsent(id, key -> new LinkedHashSet<>()).add(task.id());
                names.add(name(other));
              });
    }
    if (names.isEmpty()) {
      return task.block().program().awaitsBody()
          ? Optional.of("waits for its values")
          : Optional.empty();
    }
    List<String> distinct = names.stream().distinct().toList();
    return Optional.of(
        "waits for "
            + distinct.stream().limit(MAX_NAMES).collect(Collectors.joining(", "))
            + (distinct.size() > MAX_NAMES ? " and others" : ""));
  }

  /** Returns the queued tasks that waited for a task that has ended now. */
  List<Task> release(TaskId ended) {
    Set<TaskId> waiting = dependents.remove(ended);
    return waiting == null
        ? List.of()
        : waiting.stream()
            .flatMap(id -> registry.live(id).stream())
            .filter(task -> task.state() == TaskState.QUEUED)
            .toList();
  }

  private static String name(Task task) {
    String name = task.block().origin().name();
    return name.isEmpty() ? task.id().value() : name;
  }

  private static String name(EndedTask task) {
    return task.name().isEmpty() ? task.id().value() : task.name();
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskState;

/**
 * What tasks wait for besides room: that others have finished, and what these have written. A task
 * that is not known any more had ended well, or nothing would wait for it. Used on the loop.
 */
final class Prerequisites {
  /** How many names a person wants to read. */
  private static final int NAMES = 3;

  private final Roll roll;
  private final Map<TaskId, Set<TaskId>> dependents = new HashMap<>();

  Prerequisites(Roll roll) {
    this.roll = roll;
  }

  private Stream<Task> of(Task task) {
    return task.block().needs().after().stream().map(roll::get).flatMap(Optional::stream);
  }

  /** Why a task will never be launched: one that it needs has not ended well. */
  Optional<String> broken(Task task) {
    return of(task)
        .filter(other -> other.state().isTerminal() && other.state() != TaskState.FINISHED)
        .findFirst()
        .map(
            other ->
                "needs %s (%s), which is %s: %s"
                    .formatted(name(other), other.id(), other.state(), other.status().message()));
  }

  /**
   * Why a task cannot be launched yet; it is remembered until what it waits for has ended.
   *
   * @return empty if it can be
   */
  Optional<String> hold(Task task) {
    List<Task> missing = of(task).filter(other -> !other.state().isTerminal()).toList();
    for (Task other : missing) {
      dependents.computeIfAbsent(other.id(), id -> new LinkedHashSet<>()).add(task.id());
    }
    if (missing.isEmpty()) {
      return task.block().program().awaitsBody()
          ? Optional.of("waits for its values")
          : Optional.empty();
    }
    List<String> names = missing.stream().map(Prerequisites::name).distinct().toList();
    return Optional.of(
        "waits for "
            + names.stream().limit(NAMES).collect(Collectors.joining(", "))
            + (names.size() > NAMES ? " and others" : ""));
  }

  /** The tasks that have waited for one that has ended now, as they stand. */
  List<Task> freed(Task ended) {
    return Objects.requireNonNullElse(dependents.remove(ended.id()), Set.<TaskId>of()).stream()
        .map(roll::get)
        .flatMap(Optional::stream)
        .filter(task -> task.state() == TaskState.QUEUED)
        .toList();
  }

  private static String name(Task task) {
    String name = task.block().origin().name();
    return name.isEmpty() ? task.id().value() : name;
  }
}

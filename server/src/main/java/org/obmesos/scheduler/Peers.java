// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.obmesos.task.Constraint;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;

/**
 * Whether a task's constraints let it go to an agent, where the other tasks are that they look at:
 * those of its fan-out, or of its block's name. The words are Marathon's (its docs/constraints.md).
 */
final class Peers {
  private final Supplier<List<Task>> launched;
  private final Map<TaskId, String> agents = new HashMap<>();
  private final Map<TaskId, Task> placed = new HashMap<>();
  private final Function<String, Optional<Agent>> known;
  private final Collection<Agent> all;

  /**
   * Begins a round.
   *
   * @param launched tells the tasks that have an agent; few tasks have constraints that ask
   * @param known finds an agent by its id
   * @param all the agents there are
   */
  Peers(
      Supplier<List<Task>> launched,
      Function<String, Optional<Agent>> known,
      Collection<Agent> all) {
    this.launched = launched;
    this.known = known;
    this.all = all;
  }

  /** A task goes to an agent in this round. */
  void placed(Task task, String agentId) {
    if (!task.block().needs().constraints().isEmpty()) {
      agents.put(task.id(), agentId);
      placed.put(task.id(), task);
    }
  }

  /** Why a task may not go to an agent; empty if it may. */
  Optional<String> refusal(Task task, Agent agent) {
    return task.block().needs().constraints().stream()
        .flatMap(constraint -> refusal(constraint, task, agent).stream())
        .findFirst();
  }

  private Optional<String> refusal(Constraint constraint, Task task, Agent agent) {
    Optional<String> value = agent.attribute(constraint.attribute());
    if (value.isEmpty()) {
      return constraint.operator() == Constraint.Operator.UNLIKE
          ? Optional.empty()
          : Optional.of("has no " + constraint.attribute());
    }
    String here = value.get();
    boolean allowed =
        switch (constraint.operator()) {
          case IS -> here.equals(constraint.value());
          case LIKE -> here.matches(constraint.value());
          case UNLIKE -> !here.matches(constraint.value());
          case UNIQUE -> count(constraint, task, here) == 0;
          case MAX_PER -> count(constraint, task, here) < constraint.number();
          case CLUSTER ->
              constraint.value().isEmpty()
                  ? values(constraint, task).allMatch(here::equals)
                  : here.equals(constraint.value());
          case GROUP_BY -> count(constraint, task, here) <= least(constraint, task, here);
        };
    return allowed
        ? Optional.empty()
        : Optional.of("%s is %s, %s".formatted(constraint.attribute(), here, words(constraint)));
  }

  private static String words(Constraint constraint) {
    String value = constraint.value();
    return "wants " + constraint.operator() + (value.isEmpty() ? "" : " " + value);
  }

  /** How few tasks any value has; none, as long as there are values that were not seen yet. */
  private long least(Constraint constraint, Task task, String here) {
    List<String> seen =
        Stream.concat(
                all.stream().flatMap(agent -> agent.attribute(constraint.attribute()).stream()),
                Stream.concat(Stream.of(here), values(constraint, task)))
            .distinct()
            .toList();
    return seen.size() < constraint.number()
        ? 0
        : seen.stream().mapToLong(value -> count(constraint, task, value)).min().orElse(0);
  }

  private long count(Constraint constraint, Task task, String value) {
    return values(constraint, task).filter(value::equals).count();
  }

  /** What the other tasks' agents have. */
  private Stream<String> values(Constraint constraint, Task task) {
    Stream<Optional<Agent>> before =
        launched.get().stream()
            .filter(other -> isPeer(other, task))
            .map(other -> known.apply(other.placing().site().agentId()));
    Stream<Optional<Agent>> now =
        placed.values().stream()
            .filter(other -> isPeer(other, task))
            .map(other -> known.apply(agents.get(other.id())));
    return Stream.concat(before, now)
        .flatMap(Optional::stream)
        .flatMap(agent -> agent.attribute(constraint.attribute()).stream());
  }

  private static boolean isPeer(Task other, Task task) {
    return !other.id().equals(task.id())
        && !other.state().isTerminal()
        && task.block().origin().isPeerOf(other.block().origin());
  }
}

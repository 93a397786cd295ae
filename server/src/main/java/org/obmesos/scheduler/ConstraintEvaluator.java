// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.obmesos.task.Constraint;
import org.obmesos.task.Origin;
import org.obmesos.task.Task;

/**
 * Evaluates placement constraints, which are Marathon's (its docs/constraints.md). Those that
 * compare tasks look at the tasks of the same group, or, without a group, of the same block. One
 * evaluator serves one round of placement; it counts the tasks of a group once, and each check
 * takes constant time.
 */
final class ConstraintEvaluator {
  /** The tasks a constraint compares: those of a group, or of a named block of a document. */
  private record PeerKey(String group, String document, String name) {
    static Optional<PeerKey> of(Origin origin) {
      if (!origin.group().isEmpty()) {
        return Optional.of(new PeerKey(origin.group(), "", ""));
      }
      return origin.name().isEmpty()
          ? Optional.empty()
          : Optional.of(new PeerKey("", origin.document(), origin.name()));
    }
  }

  private record CountKey(PeerKey peers, String attribute) {}

  /** How many tasks each value of an attribute has. */
  private static final class Counts {
    private final Map<String, Integer> byValue = new HashMap<>();

    /** How many values have each count, so that the smallest count is known at once. */
    private final TreeMap<Integer, Integer> histogram = new TreeMap<>();

    void addValue(String value) {
      if (byValue.putIfAbsent(value, 0) == null) {
        histogram.merge(0, 1, Integer::sum);
      }
    }

    void increment(String value) {
      addValue(value);
      int before = byValue.merge(value, 1, Integer::sum) - 1;
      histogram.computeIfPresent(before, (count, values) -> values == 1 ? null : values - 1);
      histogram.merge(before + 1, 1, Integer::sum);
    }

    int count(String value) {
      return byValue.getOrDefault(value, 0);
    }

    /** Returns the smallest count; 0 as long as fewer values are known than there should be. */
    int smallest(int expectedValues) {
      return byValue.size() < expectedValues || histogram.isEmpty() ? 0 : histogram.firstKey();
    }

    /** Returns whether tasks have no other value than the given one. */
    boolean isOnly(String value) {
      return byValue.entrySet().stream()
          .allMatch(entry -> entry.getValue() == 0 || entry.getKey().equals(value));
    }
  }

  private final Supplier<List<Task>> launched;
  private final Function<String, Optional<Agent>> agents;
  private final Collection<Agent> usable;
  private final Map<CountKey, Counts> counts = new HashMap<>();
  private final Map<String, Pattern> patterns = new HashMap<>();

  /** The agents of the tasks of each group, made when the first constraint asks. */
  private Optional<Map<PeerKey, List<String>>> peers = Optional.empty();

  /**
   * Creates an evaluator for one round.
   *
   * @param launched returns the launched tasks
   * @param agents finds an agent by its id
   * @param usable the agents that can get tasks
   */
  ConstraintEvaluator(
      Supplier<List<Task>> launched,
      Function<String, Optional<Agent>> agents,
      Collection<Agent> usable) {
    this.launched = launched;
    this.agents = agents;
    this.usable = usable;
  }

  private Map<PeerKey, List<String>> peers() {
    return peers.orElseGet(
        () -> {
          Map<PeerKey, List<String>> all = new HashMap<>();
          for (Task task : launched.get()) {
            PeerKey.of(task.block().origin())
                .ifPresent(
                    key ->
                        all.computeIfAbsent(key, unused -> new ArrayList<>())
                            .add(task.launch().location().agentId()));
          }
          peers = Optional.of(all);
          return all;
        });
  }

  private Counts counts(CountKey key) {
    return counts.computeIfAbsent(
        key,
        unused -> {
          Counts fresh = new Counts();
          usable.forEach(agent -> agent.attribute(key.attribute()).ifPresent(fresh::addValue));
          for (String id : peers().getOrDefault(key.peers(), List.of())) {
            agents
                .apply(id)
                .flatMap(agent -> agent.attribute(key.attribute()))
                .ifPresent(fresh::increment);
          }
          return fresh;
        });
  }

  /** Counts a task that is placed on an agent in this round. */
  void placed(Task task, String agentId) {
    PeerKey.of(task.block().origin())
        .filter(key -> !task.block().requirements().constraints().isEmpty())
        .ifPresent(
            key -> {
              peers().computeIfAbsent(key, unused -> new ArrayList<>()).add(agentId);
              counts.forEach(
                  (counted, values) -> {
                    if (counted.peers().equals(key)) {
                      agents
                          .apply(agentId)
                          .flatMap(agent -> agent.attribute(counted.attribute()))
                          .ifPresent(values::increment);
                    }
                  });
            });
  }

  /** Returns which constraint keeps a task from an agent; empty if none does. */
  Optional<String> violation(Task task, Agent agent) {
    for (Constraint constraint : task.block().requirements().constraints()) {
      Optional<String> violation = violation(constraint, task, agent);
      if (violation.isPresent()) {
        return violation;
      }
    }
    return Optional.empty();
  }

  private Optional<String> violation(Constraint constraint, Task task, Agent agent) {
    Optional<String> value = agent.attribute(constraint.attribute());
    if (value.isEmpty()) {
      return constraint.operator() == Constraint.Operator.UNLIKE
          ? Optional.empty()
          : Optional.of("has no " + constraint.attribute());
    }
    String here = value.get();
    boolean satisfied =
        switch (constraint.operator()) {
          case IS -> here.equals(constraint.value());
          case LIKE -> matches(here, constraint);
          case UNLIKE -> !matches(here, constraint);
          case UNIQUE -> ofPeers(constraint, task).count(here) == 0;
          case MAX_PER -> ofPeers(constraint, task).count(here) < constraint.number();
          case CLUSTER ->
              constraint.value().isEmpty()
                  ? ofPeers(constraint, task).isOnly(here)
                  : here.equals(constraint.value());
          case GROUP_BY -> isSmallest(ofPeers(constraint, task), here, constraint.number());
        };
    return satisfied
        ? Optional.empty()
        : Optional.of("%s is %s, %s".formatted(constraint.attribute(), here, wants(constraint)));
  }

  private boolean matches(String value, Constraint constraint) {
    return patterns.computeIfAbsent(constraint.value(), Pattern::compile).matcher(value).matches();
  }

  private Counts ofPeers(Constraint constraint, Task task) {
    return PeerKey.of(task.block().origin())
        .map(key -> counts(new CountKey(key, constraint.attribute())))
        .orElseGet(Counts::new);
  }

  private static boolean isSmallest(Counts counts, String value, int expectedValues) {
    counts.addValue(value);
    return counts.count(value) <= counts.smallest(expectedValues);
  }

  private static String wants(Constraint constraint) {
    String value = constraint.value();
    return "wants " + constraint.operator() + (value.isEmpty() ? "" : " " + value);
  }
}

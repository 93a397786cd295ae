// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.mesos.v1.Protos.Offer;
import org.obmesos.driver.MesosResources;
import org.obmesos.task.AvailableResources;
import org.obmesos.task.Resources;
import org.obmesos.task.Task;

/**
 * Decides which queued tasks go to which offers, and explains why others wait. Remembers the last
 * offers. Used on the scheduler thread.
 */
final class OfferMatcher {
  private static final String DEFAULT_ROLE = "*";
  private static final int MAX_NAMES = 3;
  private static final int MAX_NOTES = 200;

  private final Deque<Note> notes = new ArrayDeque<>();
  private final Agents agents = new Agents();
  private final TaskRegistry registry;
  private final boolean roles;
  private final SharedExecutors executors;
  private final Sessions sessions;

  /**
   * Creates a matcher for the queue of a registry.
   *
   * @param roles whether the cluster has roles, and agents that start executors
   * @param shareLimit the largest task that shares an executor without saying so
   */
  OfferMatcher(TaskRegistry registry, boolean roles, Resources shareLimit) {
    this.registry = registry;
    this.roles = roles;
    this.executors = new SharedExecutors(registry, shareLimit, InstantSource.system());
    this.sessions = new Sessions(registry, roles);
  }

  Agents agents() {
    return agents;
  }

  /**
   * What to do with offers.
   *
   * @param launches the tasks to launch on each group of offers that are accepted together
   * @param unused the offers to decline
   * @param news whether the reasons why tasks wait may have changed
   */
  record Plan(
      Map<List<Offer>, List<Placement.Placed<Task>>> launches, List<Offer> unused, boolean news) {}

  /** Assigns the queued tasks to offers. */
  Plan plan(List<Offer> offers) {
    Map<Allocation, List<Offer>> allocations =
        offers.stream()
            .collect(
                Collectors.groupingBy(Allocation::of, LinkedHashMap::new, Collectors.toList()));
    Instant now = Instant.now();
    boolean news = false;
    Map<Allocation, AvailableResources> available = new LinkedHashMap<>();
    for (Map.Entry<Allocation, List<Offer>> allocation : allocations.entrySet()) {
      AvailableResources offered = available(allocation.getValue());
      news |= agents.record(allocation.getKey(), allocation.getValue(), offered, now);
      if (!agents.isInMaintenance(allocation.getKey().agent())) {
        available.put(allocation.getKey(), offered);
      }
    }
    GroupLimits limits = new GroupLimits(registry);
    Stream<Placement.Candidate<Task>> queue =
        registry.queue().stream()
            .filter(task -> sessions.unmet(task).isEmpty())
            .filter(limits::admit)
            .map(task -> new Placement.Candidate<>(task, sessions.needs(task)));
    Map<List<Offer>, List<Placement.Placed<Task>>> launches = new LinkedHashMap<>();
    Placement.plan(available, queue, rule(allocations))
        .forEach((allocation, tasks) -> launches.put(allocations.remove(allocation), tasks));
    List<Offer> unused = new ArrayList<>();
    allocations.values().forEach(unused::addAll);
    return new Plan(launches, unused, news);
  }

  SharedExecutors executors() {
    return executors;
  }

  Sessions sessions() {
    return sessions;
  }

  private static AvailableResources available(List<Offer> offers) {
    return MesosResources.available(
        offers.stream().flatMap(offer -> offer.getResourcesList().stream()).toList());
  }

  private Placement.Rule<Allocation, Task> rule(Map<Allocation, List<Offer>> offers) {
    ConstraintEvaluator constraints = constraints();
    Set<Allocation> sharing = new HashSet<>();
    return new Placement.Rule<>() {
      @Override
      public boolean allows(Task task, Allocation allocation) {
        String role = role(task);
        return (role.isEmpty() || role.equals(allocation.role()))
            && sessions.allows(task, allocation.agent())
            && agents
                .get(allocation.agent())
                .map(agent -> constraints.violation(task, agent).isEmpty())
                .orElse(false);
      }

      @Override
      public Optional<AvailableResources> overhead(Task task, Allocation allocation) {
        if (!roles || !executors.isUsable(allocation) || !executors.mayShare(task)) {
          return Optional.empty();
        }
        return Optional.of(
            sharing.contains(allocation)
                ? AvailableResources.NONE
                : executors.overhead(allocation, offers.get(allocation)));
      }

      @Override
      public void placed(Task task, Allocation allocation, boolean shares) {
        if (shares) {
          sharing.add(allocation);
        }
        constraints.placed(task, allocation.agent());
      }
    };
  }

  /** Remembers that tasks were launched on offers. */
  void noteLaunch(List<Offer> offers, List<Task> tasks) {
    String names =
        tasks.stream()
            .limit(MAX_NAMES)
            .map(task -> task.id().value())
            .collect(Collectors.joining(", "));
    String more =
        tasks.size() > MAX_NAMES ? " and %d more".formatted(tasks.size() - MAX_NAMES) : "";
    note(offers, "launched " + names + more);
  }

  /** Remembers what was done with offers. */
  void note(List<Offer> offers, String outcome) {
    for (Offer offer : offers) {
      notes.addLast(new Note(Instant.now(), offer, outcome));
      if (notes.size() > MAX_NOTES) {
        notes.removeFirst();
      }
    }
  }

  /** An offer as it came; converted when a client asks. */
  private record Note(Instant time, Offer offer, String outcome) {
    OfferNote convert() {
      AvailableResources offered = available(List.of(offer));
      return new OfferNote(
          time,
          offer.getHostname(),
          offer.getAllocationInfo().getRole(),
          offered.scalars(),
          offered.ports().size(),
          outcome);
    }
  }

  /** Returns the last offers, the oldest first. */
  List<OfferNote> notes() {
    return notes.stream().map(Note::convert).toList();
  }

  /** Returns the role whose offers a task takes; empty where there are no roles. */
  private String role(Task task) {
    String role = sessions.role(task).orElse(task.block().requirements().role());
    return !roles ? "" : role.isEmpty() ? DEFAULT_ROLE : role;
  }

  private ConstraintEvaluator constraints() {
    return new ConstraintEvaluator(registry::launched, agents::get, agents.usable());
  }

  /** Returns why each of the tasks cannot be launched; those that can are left out. */
  Map<Task, String> shortages(Iterable<Task> tasks) {
    ConstraintEvaluator constraints = constraints();
    GroupLimits limits = new GroupLimits(registry);
    Map<Task, String> reasons = new LinkedHashMap<>();
    for (Task task : tasks) {
      sessions
          .unmet(task)
          .or(() -> sessions.absentAgent(task, agents))
          .or(() -> limits.admit(task) ? Optional.empty() : Optional.of(GroupLimits.reason(task)))
          .or(() -> agents.shortage(task, role(task), constraints))
          .ifPresent(reason -> reasons.put(task, reason));
    }
    return reasons;
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.mesos.v1.Protos;
import org.apache.mesos.v1.Protos.Attribute;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.Unavailability;
import org.obmesos.driver.MesosResources;
import org.obmesos.task.AvailableResources;
import org.obmesos.task.Task;

/** The agents as their offers describe them. Used on the scheduler thread. */
final class Agents {
  /** How long before the maintenance of its machine an agent gets no more tasks. */
  static final Duration DRAIN = Duration.ofHours(1);

  private static final int MAX_REASONS = 3;

  private final Map<String, Agent> agents = new LinkedHashMap<>();

  /** The largest offer so far. */
  private final Map<Allocation, AvailableResources> largest = new HashMap<>();

  /** The host names of the agents in maintenance (Mesos' docs/maintenance.md), by agent id. */
  private final Map<String, String> inMaintenance = new TreeMap<>();

  /** The agents that were not heard of since the last subscription. */
  private final Set<String> unconfirmed = new HashSet<>();

  /**
   * Records the offers of an agent.
   *
   * @param offered the sum of their resources
   * @return whether this can change the reason a task waits for
   */
  boolean record(
      Allocation allocation, List<Offer> offers, AvailableResources offered, Instant now) {
    Offer first = offers.get(0);
    String id = allocation.agent();
    Agent agent =
        new Agent(id, first.getHostname(), attributes(first), url(first), offered.scalars());
    Agent before = agents.put(id, agent);
    boolean confirmed = unconfirmed.remove(id);
    if (offers.stream().anyMatch(offer -> isUnavailable(offer, now))) {
      return inMaintenance.put(id, first.getHostname()) == null;
    }
    boolean back = inMaintenance.remove(id) != null;
    AvailableResources sofar = largest.getOrDefault(allocation, AvailableResources.NONE);
    AvailableResources most = offered.max(sofar);
    largest.put(allocation, most);
    return back
        || confirmed
        || !most.equals(sofar)
        || before == null
        || !before.attributes().equals(agent.attributes());
  }

  private static Map<String, String> attributes(Offer offer) {
    Map<String, String> attributes = new LinkedHashMap<>();
    for (Attribute attribute : offer.getAttributesList()) {
      attributes.put(attribute.getName(), MesosResources.text(attribute));
    }
    if (offer.getDomain().hasFaultDomain()) {
      attributes.put("region", offer.getDomain().getFaultDomain().getRegion().getName());
      attributes.put("zone", offer.getDomain().getFaultDomain().getZone().getName());
    }
    return Map.copyOf(attributes);
  }

  private static boolean isUnavailable(Offer offer, Instant now) {
    if (!offer.hasUnavailability()) {
      return false;
    }
    Unavailability when = offer.getUnavailability();
    Instant start = Instant.ofEpochSecond(0, when.getStart().getNanoseconds());
    boolean over =
        when.hasDuration() && now.isAfter(start.plusNanos(when.getDuration().getNanoseconds()));
    return !over && now.isAfter(start.minus(DRAIN));
  }

  private static String url(Offer offer) {
    if (!offer.hasUrl()) {
      return "";
    }
    Protos.Address address = offer.getUrl().getAddress();
    String host = address.hasHostname() ? address.getHostname() : address.getIp();
    return offer.getUrl().getScheme() + "://" + host + ":" + address.getPort();
  }

  /** Returns whether an agent gets no tasks because of its maintenance. */
  boolean isInMaintenance(String id) {
    return inMaintenance.containsKey(id);
  }

  Optional<Agent> get(String id) {
    return Optional.ofNullable(agents.get(id));
  }

  /**
   * Returns, agent by agent, why a task cannot be launched; empty if it can, or if no agent is
   * known.
   *
   * @param role the role whose offers it takes; empty for any
   */
  Optional<String> shortage(Task task, String role, ConstraintEvaluator constraints) {
    List<String> reasons = new ArrayList<>();
    for (Agent agent : list()) {
      Optional<String> reason = reason(task, role, constraints, agent);
      if (reason.isEmpty()) {
        return Optional.empty();
      }
      reasons.add(agent.hostname() + ": " + reason.get());
    }
    if (reasons.isEmpty()) {
      return Optional.empty();
    }
    if (inMaintenance.keySet().containsAll(list().stream().map(Agent::id).toList())) {
      return Optional.of(
          "waits for the end of the maintenance of " + String.join(", ", inMaintenance.values()));
    }
    return Optional.of(
        "fits on no agent: "
            + String.join("; ", reasons.subList(0, Math.min(MAX_REASONS, reasons.size())))
            + (reasons.size() > MAX_REASONS
                ? "; and so on for %d more".formatted(reasons.size() - MAX_REASONS)
                : ""));
  }

  private Optional<String> reason(
      Task task, String role, ConstraintEvaluator constraints, Agent agent) {
    if (isInMaintenance(agent.id())) {
      return Optional.of("in maintenance");
    }
    Optional<String> violation = constraints.violation(task, agent);
    if (violation.isPresent()) {
      return violation;
    }
    List<AvailableResources> offers =
        largest.entrySet().stream()
            .filter(offer -> offer.getKey().agent().equals(agent.id()))
            .filter(offer -> role.isEmpty() || role.equals(offer.getKey().role()))
            .map(Map.Entry::getValue)
            .toList();
    if (offers.isEmpty()) {
      return Optional.of("has offered nothing to the role " + role);
    }
    List<Optional<String>> shortages =
        offers.stream().map(offer -> offer.shortage(task.block())).toList();
    return shortages.stream().anyMatch(Optional::isEmpty) ? Optional.empty() : shortages.get(0);
  }

  /** Returns the agents that can get tasks. */
  List<Agent> usable() {
    return list().stream().filter(agent -> !isInMaintenance(agent.id())).toList();
  }

  /** Forgets an agent that the master has removed. */
  void remove(String id) {
    agents.remove(id);
    inMaintenance.remove(id);
    unconfirmed.remove(id);
    largest.keySet().removeIf(allocation -> allocation.agent().equals(id));
  }

  /**
   * After an outage an agent may be gone without a FAILURE event. It does not count until it makes
   * an offer or sends an update; its attributes are kept only for the tasks on it.
   *
   * @param withTasks the agents that tasks were launched on
   */
  void resubscribed(Set<String> withTasks) {
    List.copyOf(agents.keySet()).stream()
        .filter(id -> !withTasks.contains(id))
        .forEach(this::remove);
    unconfirmed.addAll(agents.keySet());
  }

  /** An agent has sent an update. */
  void confirm(String id) {
    unconfirmed.remove(id);
  }

  List<Agent> list() {
    return agents.values().stream().filter(agent -> !unconfirmed.contains(agent.id())).toList();
  }
}

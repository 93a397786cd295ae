// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.mesos.v1.Protos.Attribute;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.Unavailability;
import org.obmesos.driver.MesosResources;
import org.obmesos.task.Task;

/** The agents as their offers show them. Used on the scheduler loop. */
final class Agents {
  /** How long before its maintenance nothing is launched on an agent any more. */
  static final Duration LEAVING = Duration.ofHours(1);

  /** How many reasons a person wants to read. */
  private static final int REASONS = 3;

  private final Map<String, Agent> agents = new LinkedHashMap<>();

  /** The most that each has offered to a role. */
  private final Map<Allocation, Room> most = new HashMap<>();

  /** The names of the hosts that are to be taken down (Mesos' docs/maintenance.md), by agent. */
  private final Map<String, String> leaving = new TreeMap<>();

  /**
   * Takes note of the offers of an agent.
   *
   * @param offered what is in them
   * @return whether something is known now that can tell why a task waits
   */
  boolean note(Allocation allocation, List<Offer> offers, Room offered, Instant now) {
    Offer first = offers.get(0);
    String id = allocation.agent();
    Agent known =
        new Agent(id, first.getHostname(), attributes(first), url(first), offered.scalars());
    Agent before = agents.put(id, known);
    if (offers.stream().anyMatch(offer -> isLeaving(offer, now))) {
      return leaving.put(id, first.getHostname()) == null;
    }
    boolean back = leaving.remove(id) != null;
    Room soFar = most.getOrDefault(allocation, Room.NONE);
    Room largest = offered.most(soFar);
    most.put(allocation, largest);
    return back
        || !largest.equals(soFar)
        || before == null
        || !before.attributes().equals(known.attributes());
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

  private static boolean isLeaving(Offer offer, Instant now) {
    if (!offer.hasUnavailability()) {
      return false;
    }
    Unavailability when = offer.getUnavailability();
    Instant start = Instant.ofEpochSecond(0, when.getStart().getNanoseconds());
    boolean over =
        when.hasDuration() && now.isAfter(start.plusNanos(when.getDuration().getNanoseconds()));
    return !over && now.isAfter(start.minus(LEAVING));
  }

  /** Whether an agent is about to be taken down, or is down already but for its name. */
  boolean isLeaving(String agent) {
    return leaving.containsKey(agent);
  }

  Optional<Agent> get(String id) {
    return Optional.ofNullable(agents.get(id));
  }

  private static String url(Offer offer) {
    if (!offer.hasUrl()) {
      return "";
    }
    org.apache.mesos.v1.Protos.Address at = offer.getUrl().getAddress();
    String host = at.hasHostname() ? at.getHostname() : at.getIp();
    return offer.getUrl().getScheme() + "://" + host + ":" + at.getPort();
  }

  /**
   * Why a task cannot be launched, agent by agent; empty if it can, or if nobody knows.
   *
   * @param role the role whose offers it takes; empty for any
   * @param peers who else is where
   */
  Optional<String> shortage(Task task, String role, Peers peers) {
    List<String> reasons = new ArrayList<>();
    for (Agent agent : agents.values()) {
      Optional<String> reason = reason(task, role, peers, agent);
      if (reason.isEmpty()) {
        return Optional.empty();
      }
      reasons.add(agent.hostname() + ": " + reason.get());
    }
    if (reasons.isEmpty()) {
      return Optional.empty();
    }
    if (leaving.keySet().containsAll(agents.keySet())) {
      return Optional.of(
          "waits for the end of the maintenance of " + String.join(", ", leaving.values()));
    }
    return Optional.of(
        "fits on no agent: "
            + String.join("; ", reasons.subList(0, Math.min(REASONS, reasons.size())))
            + (reasons.size() > REASONS
                ? "; and so on for %d more".formatted(reasons.size() - REASONS)
                : ""));
  }

  private Optional<String> reason(Task task, String role, Peers peers, Agent agent) {
    if (isLeaving(agent.id())) {
      return Optional.of("in maintenance");
    }
    Optional<String> refusal = peers.refusal(task, agent);
    if (refusal.isPresent()) {
      return refusal;
    }
    List<Room> rooms =
        most.entrySet().stream()
            .filter(room -> room.getKey().agent().equals(agent.id()))
            .filter(room -> role.isEmpty() || role.equals(room.getKey().role()))
            .map(Map.Entry::getValue)
            .toList();
    if (rooms.isEmpty()) {
      return Optional.of("has offered nothing to the role " + role);
    }
    List<Optional<String>> shortages =
        rooms.stream().map(room -> room.shortage(task.block())).toList();
    return shortages.stream().anyMatch(Optional::isEmpty) ? Optional.empty() : shortages.get(0);
  }

  /** Those that are not about to be taken down. */
  List<Agent> usable() {
    return agents.values().stream().filter(agent -> !isLeaving(agent.id())).toList();
  }

  /** The master has removed an agent; should it come back, it will make offers. */
  void remove(String id) {
    agents.remove(id);
    leaving.remove(id);
    most.keySet().removeIf(allocation -> allocation.agent().equals(id));
  }

  List<Agent> list() {
    return List.copyOf(agents.values());
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.Unavailability;
import org.obmesos.driver.MesosResources;
import org.obmesos.task.Needs;
import org.obmesos.task.Resources;
import org.obmesos.task.Site;

/** The agents as their offers show them. Used on the scheduler loop. */
final class Agents {
  private final Map<String, Agent> agents = new LinkedHashMap<>();
  private final Map<String, Resources> most = new HashMap<>();

  /** How long before its maintenance nothing is launched on an agent any more. */
  static final Duration LEAVING = Duration.ofHours(1);

  /** The names of the hosts that are to be taken down (Mesos' docs/maintenance.md), by agent. */
  private final Map<String, String> leaving = new TreeMap<>();

  /**
   * Takes note of the offers of an agent.
   *
   * @return whether something is known now that can tell why a task waits
   */
  boolean note(List<Offer> offers, Instant now) {
    Offer first = offers.get(0);
    Resources offered = offered(offers);
    String id = first.getAgentId().getValue();
    agents.put(id, new Agent(id, first.getHostname(), offered));
    if (offers.stream().anyMatch(offer -> isLeaving(offer, now))) {
      most.remove(id);
      return leaving.put(id, first.getHostname()) == null;
    }
    leaving.remove(id);
    Resources before = most.put(id, offered.most(most.getOrDefault(id, Resources.NONE)));
    return !most.get(id).equals(before);
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
  boolean isLeaving(AgentID agent) {
    return leaving.containsKey(agent.getValue());
  }

  private String names() {
    return agents.values().stream()
        .map(Agent::hostname)
        .distinct()
        .collect(Collectors.joining(", "));
  }

  private boolean isCalled(String agent, String hostname) {
    return hostname.isEmpty() || agents.get(agent).hostname().equals(hostname);
  }

  /** Whether a task that needs so much may go to an agent that has made an offer. */
  boolean suits(AgentID agent, Needs wanted) {
    return isCalled(agent.getValue(), wanted.agent());
  }

  /** What is in offers, all of them together. */
  static Resources offered(List<Offer> offers) {
    return offers.stream()
        .map(offer -> MesosResources.sum(offer.getResourcesList()))
        .reduce(Resources.NONE, Resources::plus);
  }

  /** Where a task is that the framework launches on an offer. */
  static Site site(String frameworkId, Offer offer) {
    return new Site(frameworkId, offer.getAgentId().getValue(), offer.getHostname(), url(offer));
  }

  private static String url(Offer offer) {
    if (!offer.hasUrl()) {
      return "";
    }
    org.apache.mesos.v1.Protos.Address at = offer.getUrl().getAddress();
    String host = at.hasHostname() ? at.getHostname() : at.getIp();
    return offer.getUrl().getScheme() + "://" + host + ":" + at.getPort();
  }

  /** Why a task that wants so much cannot be launched; empty if it can, or if nobody knows. */
  Optional<String> shortage(Needs wanted) {
    if (!most.isEmpty()) {
      List<Resources> rooms =
          most.entrySet().stream()
              .filter(agent -> isCalled(agent.getKey(), wanted.agent()))
              .map(Map.Entry::getValue)
              .toList();
      return rooms.isEmpty()
          ? Optional.of("waits for the agent " + wanted.agent() + "; there are " + names())
          : Shortage.of(wanted.resources(), rooms);
    }
    return leaving.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "waits for the end of the maintenance of " + String.join(", ", leaving.values()));
  }

  List<Agent> list() {
    return List.copyOf(agents.values());
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.mesos.v1.Protos.Offer;
import org.obmesos.driver.MesosResources;
import org.obmesos.task.Resources;

/** The agents as their offers show them. Used on the scheduler loop. */
final class Agents {
  private final Map<String, Agent> agents = new LinkedHashMap<>();
  private final Map<String, Resources> most = new HashMap<>();

  /**
   * Takes note of an offer.
   *
   * @return whether its agent has more of something than it was known to have
   */
  boolean note(Offer offer) {
    Resources offered = offered(offer);
    String id = offer.getAgentId().getValue();
    agents.put(id, new Agent(id, offer.getHostname(), offered));
    Resources before = most.put(id, offered.most(most.getOrDefault(id, Resources.NONE)));
    return !most.get(id).equals(before);
  }

  static Resources offered(Offer offer) {
    return new Resources(
        MesosResources.scalar(offer.getResourcesList(), "cpus"),
        MesosResources.scalar(offer.getResourcesList(), "mem"),
        MesosResources.scalar(offer.getResourcesList(), "disk"));
  }

  /** Where the agent's HTTP API is, as its offer says; empty if it does not. */
  static String url(Offer offer) {
    if (!offer.hasUrl()) {
      return "";
    }
    org.apache.mesos.v1.Protos.Address at = offer.getUrl().getAddress();
    String host = at.hasHostname() ? at.getHostname() : at.getIp();
    return offer.getUrl().getScheme() + "://" + host + ":" + at.getPort();
  }

  /** What a task wants more of than any agent has offered; empty if nothing, or if none has. */
  Optional<String> shortage(Resources wanted) {
    return most.isEmpty() ? Optional.empty() : Shortage.of(wanted, most.values());
  }

  List<Agent> list() {
    return List.copyOf(agents.values());
  }
}

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
import org.obmesos.task.Site;

/** The agents as their offers show them. Used on the scheduler loop. */
final class Agents {
  private final Map<String, Agent> agents = new LinkedHashMap<>();
  private final Map<String, Resources> most = new HashMap<>();

  /**
   * Takes note of the offers of an agent.
   *
   * @return whether the agent has more of something than it was known to have
   */
  boolean note(List<Offer> offers) {
    Offer first = offers.get(0);
    Resources offered = offered(offers);
    String id = first.getAgentId().getValue();
    agents.put(id, new Agent(id, first.getHostname(), offered));
    Resources before = most.put(id, offered.most(most.getOrDefault(id, Resources.NONE)));
    return !most.get(id).equals(before);
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

  /** What a task wants more of than any agent has offered; empty if nothing, or if none has. */
  Optional<String> shortage(Resources wanted) {
    return most.isEmpty() ? Optional.empty() : Shortage.of(wanted, most.values());
  }

  List<Agent> list() {
    return List.copyOf(agents.values());
  }
}

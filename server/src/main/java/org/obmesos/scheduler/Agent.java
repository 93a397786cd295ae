// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.Map;
import java.util.Optional;
import org.obmesos.task.Resources;

/**
 * An agent that has made an offer.
 *
 * @param id its id
 * @param hostname its host name
 * @param attributes its attributes, and its {@code region} and {@code zone} if it has a fault
 *     domain
 * @param url the address of its HTTP API; empty in the embedded cluster
 * @param offered the resources of its last offer
 */
public record Agent(
    String id, String hostname, Map<String, String> attributes, String url, Resources offered) {
  private static final String HOSTNAME = "hostname";

  /** Returns the value of an attribute, or of {@code hostname}. */
  Optional<String> attribute(String name) {
    return name.equals(HOSTNAME)
        ? Optional.of(hostname)
        : Optional.ofNullable(attributes.get(name));
  }
}

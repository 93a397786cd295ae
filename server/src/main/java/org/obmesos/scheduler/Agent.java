// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.Map;
import java.util.Optional;
import org.obmesos.task.Resources;

/**
 * An agent that has made us an offer.
 *
 * @param id its id
 * @param hostname its name
 * @param attributes its attributes, and its {@code region} and {@code zone} if it has them
 * @param url where its HTTP API is; empty if it has none
 * @param offered what it offered last
 */
public record Agent(
    String id, String hostname, Map<String, String> attributes, String url, Resources offered) {
  private static final String HOSTNAME = "hostname";

  /** The value of an attribute, or of what constraints treat as one. */
  Optional<String> attribute(String name) {
    return name.equals(HOSTNAME)
        ? Optional.of(hostname)
        : Optional.ofNullable(attributes.get(name));
  }
}

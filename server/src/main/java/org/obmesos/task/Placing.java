// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/**
 * Where a launch of a task went.
 *
 * @param attempt how often the task was launched before, from 0
 * @param agentId the agent's id; empty while the task waits
 * @param hostname the agent's name; empty while the task waits
 * @param agentUrl where the agent's HTTP API is; empty if it has none
 */
public record Placing(int attempt, String agentId, String hostname, String agentUrl) {
  /** Nowhere yet. */
  public static final Placing NONE = new Placing(0, "", "", "");

  /** No component is null. */
  public Placing {
    Objects.requireNonNull(agentId, "agentId");
    Objects.requireNonNull(hostname, "hostname");
    Objects.requireNonNull(agentUrl, "agentUrl");
  }

  /** Waiting again after a launch that did not happen; the next one gets an id of its own. */
  public Placing again() {
    return new Placing(attempt + 1, "", "", "");
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.List;
import java.util.Objects;

/**
 * Where a launch of a task went, and so where its sandbox is.
 *
 * @param frameworkId the framework that launched it
 * @param agentId the agent's id
 * @param hostname the agent's name
 * @param agentUrl where the agent's HTTP API is; empty if it has none
 * @param ports those of the agent's that it got, in the order of their names
 */
public record Site(
    String frameworkId, String agentId, String hostname, String agentUrl, List<Integer> ports) {
  /** Nowhere yet. */
  public static final Site NONE = new Site("", "", "", "", List.of());

  /** No component is null. */
  public Site {
    Objects.requireNonNull(frameworkId, "frameworkId");
    Objects.requireNonNull(agentId, "agentId");
    Objects.requireNonNull(hostname, "hostname");
    Objects.requireNonNull(agentUrl, "agentUrl");
    ports = List.copyOf(ports);
  }

  /** Whether the task waits still. */
  public boolean isNone() {
    return agentId.isEmpty();
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.List;
import java.util.Objects;

/**
 * The agent a task was launched on, and so the place of its sandbox.
 *
 * @param frameworkId the framework that launched it
 * @param agentId the agent's id; empty if the task was not launched
 * @param hostname the agent's host name
 * @param agentUrl the address of the agent's HTTP API, such as {@code http://host:5051}; empty in
 *     the embedded cluster
 * @param ports the host ports the task got, in the order of their names
 * @param executorId the shared executor that runs it; empty if it has one of its own
 */
public record TaskLocation(
    String frameworkId,
    String agentId,
    String hostname,
    String agentUrl,
    List<Integer> ports,
    String executorId) {
  /** Not launched. */
  public static final TaskLocation NONE = new TaskLocation("", "", "", "", List.of(), "");

  /** Rejects null components. */
  public TaskLocation {
    Objects.requireNonNull(frameworkId, "frameworkId");
    Objects.requireNonNull(agentId, "agentId");
    Objects.requireNonNull(hostname, "hostname");
    Objects.requireNonNull(agentUrl, "agentUrl");
    ports = List.copyOf(ports);
    // Before version 0.2 each task had an executor of its own.
    executorId = Objects.requireNonNullElse(executorId, "");
  }

  /** Returns whether the task was not launched. */
  public boolean isNone() {
    return agentId.isEmpty();
  }
}

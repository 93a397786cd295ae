// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

/**
 * Metrics of an agent's machine. A component that is null is not known.
 *
 * @param load the load average of the last minute
 * @param memTotal the memory in MiB
 * @param memFree the available memory in MiB
 * @param diskTotal the disk in MiB
 * @param diskUsed the disk that is used, in MiB
 * @param received bytes received; on a Mesos agent by its containers
 * @param sent bytes sent; on a Mesos agent by its containers
 */
public record AgentMetrics(
    Double load,
    Double memTotal,
    Double memFree,
    Double diskTotal,
    Double diskUsed,
    Double received,
    Double sent) {
  /** Nothing is known. */
  public static final AgentMetrics NONE =
      new AgentMetrics(null, null, null, null, null, null, null);
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

/**
 * How an agent's machine is. A component that is null is not known.
 *
 * @param load how many processes want to run, over the last minute
 * @param memTotal its memory in MiB
 * @param memFree what nobody uses of it, in MiB
 * @param diskTotal its disk in MiB
 * @param diskUsed what tasks have of it, in MiB
 * @param received how many bytes have come in; with a cluster, into its containers
 * @param sent how many bytes have gone out
 */
public record AgentFigures(
    Double load,
    Double memTotal,
    Double memFree,
    Double diskTotal,
    Double diskUsed,
    Double received,
    Double sent) {
  /** Nothing is known. */
  public static final AgentFigures NONE =
      new AgentFigures(null, null, null, null, null, null, null);
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import org.apache.mesos.v1.Protos.Offer;

/**
 * What offers must have in common to be accepted together (mesos.proto, Offer).
 *
 * @param agent the agent's id
 * @param role the role they are allocated to
 */
record Allocation(String agent, String role) {
  static Allocation of(Offer offer) {
    return new Allocation(offer.getAgentId().getValue(), offer.getAllocationInfo().getRole());
  }
}

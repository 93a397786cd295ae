// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import org.apache.mesos.v1.Protos.Offer;

/**
 * What offers can be used together: those of one agent, made to one role.
 *
 * @param agent the agent's id
 * @param role the role
 */
record Allocation(String agent, String role) {
  static Allocation of(Offer offer) {
    return new Allocation(offer.getAgentId().getValue(), offer.getAllocationInfo().getRole());
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import org.apache.mesos.v1.Protos.Offer;

/**
 * What offers can be used together: those of one agent, made to one role.
 *
 * @param agent the agent's id
 * @param role the role
 */
record Slot(String agent, String role) {
  static Slot of(Offer offer) {
    return new Slot(offer.getAgentId().getValue(), offer.getAllocationInfo().getRole());
  }
}

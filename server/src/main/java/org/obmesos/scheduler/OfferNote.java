// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Instant;
import org.obmesos.task.Resources;

/**
 * An offer of the recent past.
 *
 * @param time when it was answered
 * @param hostname the agent's host name
 * @param role the role it was allocated to
 * @param offered its resources
 * @param ports the number of ports in it
 * @param outcome what was done with it, in words
 */
public record OfferNote(
    Instant time, String hostname, String role, Resources offered, int ports, String outcome) {}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Instant;
import org.obmesos.task.Resources;

/**
 * An offer that was made to us, and what was said to it.
 *
 * @param time when
 * @param hostname the name of the agent
 * @param role the role it was made to
 * @param offered what was offered
 * @param ports how many ports were offered
 * @param said what became of it, in words
 */
public record OfferNote(
    Instant time, String hostname, String role, Resources offered, int ports, String said) {}

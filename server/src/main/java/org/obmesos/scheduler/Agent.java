// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import org.obmesos.task.Resources;

/**
 * An agent that has made us an offer.
 *
 * @param id its id
 * @param hostname its name
 * @param offered what it offered last
 */
public record Agent(String id, String hostname, Resources offered) {}

// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The embedded cluster: a master with one agent, this machine, behind the same driver interface as
 * a real one. It makes offers, runs commands in sandboxes and process groups of their own, sends
 * status updates until they are acknowledged, and recovers its tasks after a restart.
 */
package org.obmesos.local;

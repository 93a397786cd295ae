// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The Mesos framework: decides which task runs where, and follows it to its end. {@link
 * org.obmesos.scheduler.Framework} owns all state on one thread that never waits; changes of tasks
 * are transactions of {@code TransactionQueue}, computed by the pure {@code TaskStateMachine}. This
 * package does not know JSON.
 */
package org.obmesos.scheduler;

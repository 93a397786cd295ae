// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * The framework: what to launch where, and what became of it. {@link
 * org.obmesos.scheduler.Framework} runs on one thread, the scheduler loop, which owns all its
 * state; the others post to it and it never waits. Nothing here knows of JSON-RPC.
 */
package org.obmesos.scheduler;

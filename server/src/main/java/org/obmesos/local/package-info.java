// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * The embedded cluster: a master with one agent, this machine, behind the same seam as a real one.
 * It makes offers, runs commands in sandboxes and process groups of their own, sends statuses until
 * they are acknowledged, and finds its commands again after a restart. It knows nothing of Emacs or
 * HTTP.
 */
package org.obmesos.local;

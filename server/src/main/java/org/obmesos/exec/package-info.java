// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * Commands beside running tasks, for users' shells and for TRAMP. A Perl program, a resource of
 * this package, is the client; it connects to a socket in the state directory. The server tells it
 * what to run where the task is on this machine, and passes input and output on where it is not.
 */
package org.obmesos.exec;

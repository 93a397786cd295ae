// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * The Perl program that runs tasks, and what it is told and says. With one half it is the
 * supervisor of the embedded cluster, with another the shared executor of Mesos. The programs
 * themselves are resources of this package.
 */
package org.obmesos.executor;

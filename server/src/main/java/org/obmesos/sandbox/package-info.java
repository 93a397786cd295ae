// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * Reading what a task wrote. A {@link org.obmesos.sandbox.Sandbox} gives the files of one task,
 * {@link org.obmesos.sandbox.Tailer} follows the standard output of those that run. Bytes are
 * counted, and decoded only here; nothing knows of Emacs.
 */
package org.obmesos.sandbox;

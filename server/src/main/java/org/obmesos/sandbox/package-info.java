// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Reading the output of tasks. A {@link org.obmesos.sandbox.Sandbox} gives access to the files of
 * one task; {@link org.obmesos.sandbox.SandboxReader} reads them on threads of its own, with a
 * deadline. Offsets and sizes are bytes, and are decoded only here.
 */
package org.obmesos.sandbox;

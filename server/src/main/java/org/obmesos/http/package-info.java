// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The HTTP server: whole documents are posted, their blocks become tasks of the same framework that
 * Emacs uses, and results, last lines and metrics are read. It is off by default, and requires a
 * token unless the user says otherwise. It uses the JDK's own server (module jdk.httpserver), which
 * with limits set is sufficient.
 */
package org.obmesos.http;

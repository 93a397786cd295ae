// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The door for those who have no Emacs: whole documents are posted over HTTP, their blocks become
 * tasks of the same framework that Emacs uses, and their results, tails and figures are read there.
 * It is open only where it was asked for, and lets in nobody but this machine unless a token says
 * otherwise. The JDK's own server (module jdk.httpserver) carries it: with limits set it is enough,
 * and needs nothing else.
 */
package org.obmesos.http;

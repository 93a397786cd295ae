// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * JSON-RPC over stdin and stdout: the requests of Emacs ({@link org.obmesos.rpc.BlockService}) and
 * the notifications to it ({@link org.obmesos.rpc.EmacsClient}). docs/protocol.org specifies them,
 * and a test compares it with the code.
 */
package org.obmesos.rpc;

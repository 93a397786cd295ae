// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * The JSON-RPC face: what Emacs can ask ({@link org.obmesos.rpc.BlockService}), what it is told
 * ({@link org.obmesos.rpc.EmacsClient}) and the messages that go both ways ({@link
 * org.obmesos.rpc.Messages}). docs/protocol.org is the contract, and a test holds it. Nothing here
 * knows Mesos' protobufs.
 */
package org.obmesos.rpc;

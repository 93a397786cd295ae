// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import org.eclipse.lsp4j.jsonrpc.ResponseErrorException;
import org.eclipse.lsp4j.jsonrpc.messages.ResponseError;

/** The codes of our errors, besides those of JSON-RPC itself. */
public enum ErrorCode {
  /** Asked before {@code initialize}. The code is LSP's. */
  NOT_INITIALIZED(-32002),
  /** A block asks for something that cannot be; {@code data} has its id and the argument. */
  INVALID_BLOCK(-32010),
  /** No task has that id. */
  UNKNOWN_TASK(-32011),
  /** The task's files cannot be read. */
  SANDBOX_UNAVAILABLE(-32012),
  /** The store failed; nothing was done. */
  STORE_FAILED(-32013),
  /** The message is larger than the server takes. */
  MESSAGE_TOO_LARGE(-32014);

  private final int code;

  ErrorCode(int code) {
    this.code = code;
  }

  /** The number on the wire. */
  public int code() {
    return code;
  }

  ResponseErrorException exception(String message, Object data) {
    return new ResponseErrorException(new ResponseError(code, message, data));
  }
}

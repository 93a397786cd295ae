// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import org.eclipse.lsp4j.jsonrpc.ResponseErrorException;
import org.eclipse.lsp4j.jsonrpc.messages.ResponseError;

/** The error codes besides those of JSON-RPC. */
public enum ErrorCode {
  /** A request came before {@code initialize}. The code is LSP's. */
  NOT_INITIALIZED(-32002),
  /** A block is not valid; {@code data} has its id and the argument. */
  INVALID_BLOCK(-32010),
  /** No task has that id. */
  UNKNOWN_TASK(-32011),
  /** The task's files cannot be read. */
  SANDBOX_UNAVAILABLE(-32012),
  /** The store has failed; nothing was done. */
  STORE_FAILED(-32013),
  /** The message is too large. */
  MESSAGE_TOO_LARGE(-32014);

  private final int code;

  ErrorCode(int code) {
    this.code = code;
  }

  /** Returns the code in the message. */
  public int code() {
    return code;
  }

  ResponseErrorException exception(String message, Object data) {
    return new ResponseErrorException(new ResponseError(code, message, data));
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import java.io.IOException;
import java.io.InputStream;
import org.eclipse.lsp4j.jsonrpc.MessageConsumer;
import org.eclipse.lsp4j.jsonrpc.MessageIssueHandler;
import org.eclipse.lsp4j.jsonrpc.json.MessageJsonHandler;
import org.eclipse.lsp4j.jsonrpc.json.StreamMessageProducer;
import org.eclipse.lsp4j.jsonrpc.messages.ResponseError;
import org.eclipse.lsp4j.jsonrpc.messages.ResponseMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads frames, and refuses those that are larger than the server has room for: they are skipped,
 * not read into memory, and answered with an error.
 */
final class Frames extends StreamMessageProducer {
  /** The largest content, in bytes. */
  static final int MAX_CONTENT = 16 << 20;

  private static final Logger log = LoggerFactory.getLogger(Frames.class);

  private final MessageConsumer out;

  Frames(InputStream in, MessageJsonHandler json, MessageIssueHandler issues, MessageConsumer out) {
    super(in, json, issues);
    this.out = out;
  }

  @Override
  protected boolean handleMessage(InputStream input, Headers headers) {
    if (headers.contentLength > MAX_CONTENT) {
      String message =
          "a message of "
              + headers.contentLength
              + " bytes is refused, "
              + MAX_CONTENT
              + " is the most";
      log.warn(message);
      try {
        input.skipNBytes(headers.contentLength);
      } catch (IOException e) {
        log.warn("it was not even sent: {}", e.toString());
        return false;
      }
      ResponseMessage refusal = new ResponseMessage();
      refusal.setError(new ResponseError(ErrorCode.MESSAGE_TOO_LARGE.code(), message, null));
      out.consume(refusal);
      return true;
    }
    return super.handleMessage(input, headers);
  }

  @Override
  protected void fireError(Throwable error) {
    log.warn("a message could not be read: {}", error.toString());
  }

  @Override
  protected void fireStreamClosed(Exception cause) {
    log.debug("the input has ended: {}", String.valueOf(cause.getMessage()));
  }
}

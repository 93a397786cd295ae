// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.eclipse.lsp4j.jsonrpc.MessageConsumer;
import org.eclipse.lsp4j.jsonrpc.MessageIssueException;
import org.eclipse.lsp4j.jsonrpc.json.MessageJsonHandler;
import org.eclipse.lsp4j.jsonrpc.json.StreamMessageProducer;
import org.eclipse.lsp4j.jsonrpc.messages.Message;
import org.eclipse.lsp4j.jsonrpc.messages.ResponseError;
import org.eclipse.lsp4j.jsonrpc.messages.ResponseErrorCode;
import org.eclipse.lsp4j.jsonrpc.messages.ResponseMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads frames. One that is too large is skipped, and one that cannot be parsed is answered with an
 * error; then the next frame is read.
 */
final class Frames extends StreamMessageProducer {
  /** The largest content, in bytes. */
  static final int MAX_CONTENT = 16 << 20;

  private static final Logger log = LoggerFactory.getLogger(Frames.class);
  private static final int CHUNK = 64 * 1024;

  private final MessageJsonHandler json;
  private final MessageConsumer out;
  private MessageConsumer receiver;

  Frames(InputStream in, MessageJsonHandler json, MessageConsumer out) {
    super(in, json);
    this.json = json;
    this.out = out;
  }

  @Override
  public void listen(MessageConsumer callback) {
    receiver = callback;
    super.listen(callback);
  }

  @Override
  protected boolean handleMessage(InputStream input, Headers headers) {
    int length = headers.contentLength;
    try {
      if (length < 0) {
        log.warn("a frame says that it has {} bytes", length);
        return false;
      }
      if (length > MAX_CONTENT) {
        rejectLarge(input, length);
        return true;
      }
      byte[] content = input.readNBytes(length);
      if (content.length < length) {
        log.warn("the input ended in the middle of a message");
        return false;
      }
      handle(new String(content, StandardCharsets.UTF_8));
      return true;
    } catch (IOException e) {
      log.warn("the input cannot be read: {}", e.toString());
      return false;
    }
  }

  /** Reads the content and drops it, since a pipe cannot skip. */
  private void rejectLarge(InputStream input, int length) throws IOException {
    int left = length;
    byte[] chunk = new byte[CHUNK];
    while (left > 0) {
      int count = input.read(chunk, 0, Math.min(CHUNK, left));
      if (count < 0) {
        throw new IOException("the input ended in the middle of a message");
      }
      left -= count;
    }
    reject(
        Optional.empty(),
        ErrorCode.MESSAGE_TOO_LARGE.code(),
        "a message of " + length + " bytes is too large; the limit is " + MAX_CONTENT);
  }

  private void handle(String content) {
    Message message;
    try {
      message = json.parseMessage(content);
    } catch (MessageIssueException | JsonParseException | NumberFormatException e) {
      // Not its content, nor the exception's message: there may be secrets in it.
      log.debug("a message of {} characters cannot be parsed", content.length());
      rejectUnparsable(content);
      return;
    }
    if (message == null) {
      rejectUnparsable(content);
      return;
    }
    receiver.consume(message);
  }

  private void rejectUnparsable(String content) {
    JsonElement element;
    try {
      element = JsonParser.parseString(content);
    } catch (JsonParseException e) {
      reject(Optional.empty(), ResponseErrorCode.ParseError.getValue(), "the message is not JSON");
      return;
    }
    JsonObject object = element.isJsonObject() ? element.getAsJsonObject() : new JsonObject();
    String method =
        object.has("method") ? object.get("method").toString() : "a message without a method";
    reject(
        Optional.ofNullable(object.get("id")),
        ResponseErrorCode.InvalidParams.getValue(),
        "the parameters are not of the types that " + method + " takes");
  }

  private void reject(Optional<JsonElement> id, int code, String message) {
    log.warn(message);
    ResponseMessage rejection = new ResponseMessage();
    id.filter(JsonElement::isJsonPrimitive)
        .map(JsonElement::getAsJsonPrimitive)
        .ifPresent(
            value -> {
              if (value.isNumber()) {
                rejection.setId(value.getAsInt());
              } else {
                rejection.setId(value.getAsString());
              }
            });
    rejection.setError(new ResponseError(code, message, null));
    out.consume(rejection);
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

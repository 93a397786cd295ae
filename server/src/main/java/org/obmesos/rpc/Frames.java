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
 * Reads frames. What is larger than the server has room for is skipped, what cannot be understood
 * is answered with an error if it was a request, and either way the next frame is read.
 */
final class Frames extends StreamMessageProducer {
  /** The largest content, in bytes. */
  static final int MAX_CONTENT = 16 << 20;

  private static final Logger log = LoggerFactory.getLogger(Frames.class);
  private static final int PIECE = 64 * 1024;

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
        refuseLarge(input, length);
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

  /** A pipe cannot be skipped in, only read. */
  private void refuseLarge(InputStream input, int length) throws IOException {
    int left = length;
    byte[] piece = new byte[PIECE];
    while (left > 0) {
      int count = input.read(piece, 0, Math.min(PIECE, left));
      if (count < 0) {
        throw new IOException("the input ended in the middle of a message");
      }
      left -= count;
    }
    refuse(
        Optional.empty(),
        ErrorCode.MESSAGE_TOO_LARGE.code(),
        "a message of " + length + " bytes is refused, " + MAX_CONTENT + " is the most");
  }

  private void handle(String content) {
    Message message;
    try {
      message = json.parseMessage(content);
    } catch (MessageIssueException | JsonParseException | NumberFormatException e) {
      log.debug("not understood: {}", content, e);
      notUnderstood(content);
      return;
    }
    if (message == null) {
      notUnderstood(content);
      return;
    }
    receiver.consume(message);
  }

  private void notUnderstood(String content) {
    JsonElement element;
    try {
      element = JsonParser.parseString(content);
    } catch (JsonParseException e) {
      refuse(Optional.empty(), ResponseErrorCode.ParseError.getValue(), "the message is not JSON");
      return;
    }
    JsonObject object = element.isJsonObject() ? element.getAsJsonObject() : new JsonObject();
    String method =
        object.has("method") ? object.get("method").toString() : "a message without a method";
    refuse(
        Optional.ofNullable(object.get("id")),
        ResponseErrorCode.InvalidParams.getValue(),
        "the parameters are not of the types that " + method + " takes");
  }

  private void refuse(Optional<JsonElement> id, int code, String message) {
    log.warn(message);
    ResponseMessage refusal = new ResponseMessage();
    id.filter(JsonElement::isJsonPrimitive)
        .map(JsonElement::getAsJsonPrimitive)
        .ifPresent(
            value -> {
              if (value.isNumber()) {
                refusal.setId(value.getAsInt());
              } else {
                refusal.setId(value.getAsString());
              }
            });
    refusal.setError(new ResponseError(code, message, null));
    out.consume(refusal);
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

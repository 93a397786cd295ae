// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.eclipse.lsp4j.jsonrpc.MessageConsumer;
import org.eclipse.lsp4j.jsonrpc.json.MessageJsonHandler;
import org.eclipse.lsp4j.jsonrpc.messages.Message;
import org.eclipse.lsp4j.jsonrpc.messages.RequestMessage;
import org.eclipse.lsp4j.jsonrpc.messages.ResponseMessage;
import org.eclipse.lsp4j.jsonrpc.services.ServiceEndpoints;
import org.obmesos.api.Messages;

final class FramesTest {
  private static final byte[] REQUEST =
      "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"task/list\",\"params\":{}}"
          .getBytes(StandardCharsets.UTF_8);

  private static void frame(ByteArrayOutputStream stream, byte[] content) {
    stream.writeBytes(
        ("Content-Length: " + content.length + "\r\n\r\n").getBytes(StandardCharsets.UTF_8));
    stream.writeBytes(content);
  }

  /** What was understood; what was answered goes to the other list. */
  private static List<Message> listen(byte[] stream, List<Message> answered) {
    List<Message> understood = new ArrayList<>();
    MessageConsumer out = answered::add;
    new Frames(
            new ByteArrayInputStream(stream),
            new MessageJsonHandler(ServiceEndpoints.getSupportedMethods(BlockService.class)),
            out)
        .listen(understood::add);
    return understood;
  }

  @Property(tries = 500)
  void whateverAFrameHoldsTheNextOneIsUnderstood(
      @ForAll @Size(max = 8) List<@Size(max = 200) byte[]> contents) {
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    contents.forEach(content -> frame(stream, content));
    frame(stream, REQUEST);
    List<Message> answered = new ArrayList<>();
    List<Message> understood = listen(stream.toByteArray(), answered);
    assertThat(understood).last().isInstanceOf(RequestMessage.class);
    assertThat(answered)
        .allSatisfy(
            message ->
                assertThat(((ResponseMessage) message).getError().getMessage()).isNotEmpty());
  }

  @Property(tries = 500)
  void aRequestIsUnderstoodHoweverItsTextIsEscaped(@ForAll String text) {
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    String quoted = new com.google.gson.Gson().toJson(text);
    frame(
        stream,
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"task/submit\",\"params\":{\"blocks\":[{\"id\":\"a\","
                + "\"body\":"
                + quoted
                + "}]}}")
            .getBytes(StandardCharsets.UTF_8));
    List<Message> understood = listen(stream.toByteArray(), new ArrayList<>());
    Messages.SubmitParams params =
        (Messages.SubmitParams) ((RequestMessage) understood.get(0)).getParams();
    String expected = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    assertThat(params.blocks().get(0).body()).isEqualTo(expected);
  }

  @Property(tries = 500)
  void anyStreamOfBytesIsReadToItsEnd(@ForAll @Size(max = 400) byte[] bytes) {
    listen(bytes, new ArrayList<>());
  }
}

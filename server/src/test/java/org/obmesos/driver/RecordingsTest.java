// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.util.JsonFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.apache.mesos.v1.scheduler.Protos.Event;

/** What a real master has sent is read, however the network cuts it. */
final class RecordingsTest {
  private static final List<String> SCENARIOS =
      List.of("hello", "states", "offers", "failover", "ha", "agents");

  private static byte[] resource(String name) throws IOException {
    try (InputStream file = RecordingsTest.class.getResourceAsStream("recordings/" + name)) {
      return file.readAllBytes();
    }
  }

  private static List<JsonObject> lines(String scenario) throws IOException {
    return new String(resource(scenario + ".jsonl"), StandardCharsets.UTF_8)
        .lines()
        .map(line -> JsonParser.parseString(line).getAsJsonObject())
        .filter(line -> line.get("dir").getAsString().equals("event"))
        .toList();
  }

  private static List<Event> events(String scenario) throws IOException {
    List<Event> events = new ArrayList<>();
    for (JsonObject line : lines(scenario)) {
      Event.Builder event = Event.newBuilder();
      JsonFormat.parser().ignoringUnknownFields().merge(line.get("event").toString(), event);
      events.add(event.build());
    }
    return events;
  }

  private static List<Event> read(byte[] stream, int piece) {
    List<Event> events = new ArrayList<>();
    List<Throwable> failures = new ArrayList<>();
    EventStream reader = new EventStream(events::add, failures::add);
    for (int from = 0; from < stream.length; from += piece) {
      reader.onNext(List.of(ByteBuffer.wrap(stream, from, Math.min(piece, stream.length - from))));
    }
    assertThat(failures).isEmpty();
    return events;
  }

  @Property(tries = 40)
  void everyScenarioIsReadAsItWasSent(@ForAll @IntRange(min = 1, max = 5000) int piece)
      throws IOException {
    for (String scenario : SCENARIOS) {
      List<Event> sent = events(scenario);
      ByteArrayOutputStream stream = new ByteArrayOutputStream();
      for (Event event : sent) {
        byte[] bytes = event.toByteArray();
        stream.writeBytes((bytes.length + "\n").getBytes(StandardCharsets.US_ASCII));
        stream.writeBytes(bytes);
      }
      assertThat(sent).isNotEmpty();
      assertThat(read(stream.toByteArray(), piece)).isEqualTo(sent);
    }
  }

  @Property(tries = 40)
  void aProtobufStreamIsReadByteForByte(@ForAll @IntRange(min = 1, max = 600) int piece)
      throws IOException {
    List<Event> sent = new ArrayList<>();
    for (JsonObject line : lines("protobuf")) {
      sent.add(
          Event.parseFrom(Base64.getDecoder().decode(line.get("protobuf_base64").getAsString())));
    }
    List<Event> heard = read(resource("protobuf.recordio"), piece);
    assertThat(heard).isEqualTo(sent.subList(0, heard.size()));
    assertThat(heard)
        .extracting(Event::getType)
        .startsWith(Event.Type.SUBSCRIBED, Event.Type.HEARTBEAT, Event.Type.OFFERS);
  }
}

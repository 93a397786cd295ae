// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

final class RecordIoTest {
  private static byte[] encode(List<byte[]> records) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (byte[] record : records) {
      bytes.writeBytes((record.length + "\n").getBytes(StandardCharsets.US_ASCII));
      bytes.writeBytes(record);
    }
    return bytes.toByteArray();
  }

  private static List<byte[]> decode(byte[] stream, List<Integer> cuts) throws IOException {
    List<byte[]> records = new ArrayList<>();
    RecordIo decoder = new RecordIo(records::add);
    int from = 0;
    for (int cut : cuts) {
      int to = Math.min(stream.length, from + cut);
      decoder.feed(ByteBuffer.wrap(stream, from, to - from));
      from = to;
    }
    decoder.feed(ByteBuffer.wrap(stream, from, stream.length - from));
    return records;
  }

  @Property
  void recordsAreTheSameHoweverTheStreamIsCut(
      @ForAll @Size(max = 10) List<@Size(max = 60) byte[]> records,
      @ForAll List<@IntRange(max = 30) Integer> cuts)
      throws IOException {
    assertThat(decode(encode(records), cuts).toArray(new byte[0][]))
        .isDeepEqualTo(records.toArray(new byte[0][]));
  }

  @Property
  void whateverComesIsRecordsOrAnError(@ForAll byte[] stream) {
    try {
      decode(stream, List.of());
    } catch (IOException e) {
      assertThat(e).hasMessageContaining("RecordIO");
    }
  }

  @Test
  void aLengthThatCannotBeIsAnErrorBeforeMemoryIsTaken() {
    assertThatThrownBy(() -> decode("99999999999\n".getBytes(StandardCharsets.US_ASCII), List.of()))
        .isInstanceOf(IOException.class);
  }
}

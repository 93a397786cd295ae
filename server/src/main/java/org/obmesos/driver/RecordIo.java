// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Parses RecordIO (Mesos' docs/recordio.md): a length in decimal digits, a newline, and that many
 * bytes. Input arrives in arbitrary chunks. Not thread-safe.
 */
public final class RecordIo {
  /** The longest record, in bytes; a longer one is an error. */
  static final int MAX_LENGTH = 32 * 1024 * 1024;

  private static final int RADIX = 10;

  private final Consumer<byte[]> records;
  private long length;
  private boolean digits;
  private byte[] record;
  private int filled;

  /** Creates a parser that passes each complete record to a consumer. */
  public RecordIo(Consumer<byte[]> records) {
    this.records = Objects.requireNonNull(records, "records");
  }

  /**
   * Parses the next bytes of the stream.
   *
   * @throws IOException if they are not RecordIO
   */
  public void feed(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      if (record == null) {
        header(bytes.get());
      } else {
        int count = Math.min(bytes.remaining(), record.length - filled);
        bytes.get(record, filled, count);
        filled += count;
      }
      if (record != null && filled == record.length) {
        byte[] whole = record;
        record = null;
        records.accept(whole);
      }
    }
  }

  private void header(byte next) throws IOException {
    if (next == '\n') {
      if (digits) {
        record = new byte[(int) length];
        filled = 0;
      }
      length = 0;
      digits = false;
      return;
    }
    int digit = Character.digit(next, RADIX);
    length = length * RADIX + digit;
    digits = true;
    if (digit < 0 || length > MAX_LENGTH) {
      throw new IOException("the stream is not RecordIO, or a record is too long");
    }
  }
}

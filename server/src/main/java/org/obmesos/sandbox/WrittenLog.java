// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What a task has written into one of its logs. A container logger that rotates (Mesos'
 * docs/logging.md, {@code LogrotateContainerLogger}) leaves the beginning in {@code stdout.2},
 * {@code stdout.1} and so on, and its settings in {@code stdout.logrotate.conf}, which tells its
 * files from the task's own; here it is one text again.
 */
final class WrittenLog {
  private record Piece(String file, long size) {}

  private final Sandbox sandbox;

  /** The oldest first. */
  private final Deque<Piece> pieces = new ArrayDeque<>();

  private WrittenLog(Sandbox sandbox) {
    this.sandbox = sandbox;
  }

  /** All of a log that is not written any more. */
  static WrittenLog whole(Sandbox sandbox, String file) throws IOException {
    WrittenLog log = newest(sandbox, file, sandbox.size(file));
    boolean rotated = sandbox.isWrittenLate() && sandbox.size(file + ".logrotate.conf") > 0;
    for (int turn = 1; rotated; turn++) {
      Piece older = new Piece(file + "." + turn, sandbox.size(file + "." + turn));
      rotated = older.size() > 0;
      if (rotated) {
        log.pieces.addFirst(older);
      }
    }
    return log;
  }

  /** What is in the file of that name, which is so long. */
  static WrittenLog newest(Sandbox sandbox, String file, long size) {
    WrittenLog log = new WrittenLog(sandbox);
    log.pieces.add(new Piece(file, size));
    return log;
  }

  /** How many bytes there are. */
  long size() {
    return pieces.stream().mapToLong(Piece::size).sum();
  }

  /** The bytes from an offset on, at most so many; fewer at the end. */
  byte[] read(long offset, int length) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    long start = 0;
    for (Piece piece : pieces) {
      long from = Math.max(0, offset + bytes.size() - start);
      while (from < piece.size() && bytes.size() < length) {
        int wanted = (int) Math.min(length - bytes.size(), piece.size() - from);
        byte[] read = sandbox.read(piece.file(), from, wanted);
        if (read.length == 0) {
          break;
        }
        bytes.writeBytes(read);
        from += read.length;
      }
      start += piece.size();
    }
    return bytes.toByteArray();
  }
}

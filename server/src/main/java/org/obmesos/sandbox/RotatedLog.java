// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The standard output or error of a task. A container logger that rotates (Mesos' docs/logging.md,
 * {@code LogrotateContainerLogger}) moves the beginning to {@code stdout.1}, {@code stdout.2} and
 * so on; its {@code stdout.logrotate.conf} tells these from files of the task. This class reads
 * them as one file.
 */
final class RotatedLog {
  private record Piece(String file, long size) {}

  private final Sandbox sandbox;

  /** The oldest first. */
  private final Deque<Piece> pieces = new ArrayDeque<>();

  private RotatedLog(Sandbox sandbox) {
    this.sandbox = sandbox;
  }

  /** Returns the whole log of a task that has ended. */
  static RotatedLog whole(Sandbox sandbox, String file) throws IOException {
    RotatedLog log = current(sandbox, file, sandbox.size(file));
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

  /** Returns the current file of a log, whose size is known. */
  static RotatedLog current(Sandbox sandbox, String file, long size) {
    RotatedLog log = new RotatedLog(sandbox);
    log.pieces.add(new Piece(file, size));
    return log;
  }

  /** Returns the size in bytes. */
  long size() {
    return pieces.stream().mapToLong(Piece::size).sum();
  }

  /** Reads at most {@code length} bytes from an offset; fewer at the end. */
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

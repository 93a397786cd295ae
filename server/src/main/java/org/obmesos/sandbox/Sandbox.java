// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The files of one task. Offsets, lengths and sizes are bytes. Paths are relative to the sandbox;
 * one that leaves it is an {@link IOException}. All methods but {@link #location} may wait, and
 * fail with a {@link SandboxUnavailableException} if the files cannot be reached now.
 */
public interface Sandbox {
  /**
   * An entry of a directory. FIFOs, sockets and devices on an agent of Mesos are none.
   *
   * @param path relative to the sandbox, with slashes
   * @param size in bytes; 0 for a directory
   * @param modified when it was last modified
   * @param directory whether it is a directory, or a link to one
   * @param link where it leads if it is a symbolic link; empty if it is none, and for an agent of
   *     Mesos, which does not say so
   */
  record Entry(String path, long size, Instant modified, boolean directory, Optional<String> link) {
    /** Creates an entry that is no link. */
    public Entry(String path, long size, Instant modified, boolean directory) {
      this(path, size, modified, directory, Optional.empty());
    }
  }

  /** The sandbox of a task that was not launched. It is empty. */
  Sandbox EMPTY =
      new Sandbox() {
        @Override
        public long size(String path) {
          return 0;
        }

        @Override
        public byte[] read(String path, long offset, int length) {
          return new byte[0];
        }

        @Override
        public List<Entry> list(String path) {
          return List.of();
        }

        @Override
        public String location() {
          return "";
        }
      };

  /** Returns the size of a file; 0 if there is no such file. */
  long size(String path) throws IOException;

  /**
   * Reads a part of a file.
   *
   * @param offset where to begin, at least 0
   * @param length the largest number of bytes to read
   * @return fewer bytes at the end of the file; none past it or if there is no such file
   */
  byte[] read(String path, long offset, int length) throws IOException;

  /**
   * Lists a directory, sorted by name; empty if there is no such directory.
   *
   * @param path the directory; empty for the sandbox itself
   */
  List<Entry> list(String path) throws IOException;

  /**
   * Returns whether output can be written for a while after the task has ended: a container logger
   * of Mesos is a process of its own (docs/logging.md).
   */
  default boolean isWrittenLate() {
    return false;
  }

  /** Returns whether reading it takes an agent's time. */
  default boolean isRemote() {
    return false;
  }

  /** Returns its path or address, for the user. Never waits. */
  String location();
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;
import java.time.Instant;
import java.util.List;

/** The files of one task. Offsets and lengths are bytes. */
public interface Sandbox {
  /**
   * One entry of a directory.
   *
   * @param path relative to the sandbox, with slashes
   * @param size in bytes; 0 for a directory
   * @param modified when it was last written
   * @param directory whether it is one
   */
  record Entry(String path, long size, Instant modified, boolean directory) {}

  /**
   * How long a file is.
   *
   * @return 0 if there is no such file: a task that has not begun has not written
   * @throws IOException if the sandbox cannot be reached, or the path leads out of it
   */
  long size(String path) throws IOException;

  /**
   * A piece of a file.
   *
   * @param offset where it begins, at least 0
   * @param length at most how many bytes to read
   * @return fewer bytes at the end of the file, none past it or if there is no such file
   * @throws IOException if the sandbox cannot be reached, or the path leads out of it
   */
  byte[] read(String path, long offset, int length) throws IOException;

  /**
   * What is in a directory, sorted by name; empty if there is no such directory.
   *
   * @param path relative to the sandbox; empty for the sandbox itself
   * @throws IOException if the sandbox cannot be reached, or the path leads out of it
   */
  List<Entry> list(String path) throws IOException;

  /** Whether another process can still write into the files for a while after the task's end. */
  default boolean isWrittenLate() {
    return false;
  }

  /** Where a person finds it: a path or an address. */
  String location();
}

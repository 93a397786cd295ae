// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets the editor go first. Linux shares the processors out by sessions before it looks at niceness
 * (autogroups, sched(7)); the session of a server that leads its own, as Emacs starts it, holds
 * nothing but the server and its tasks, and so it can be told to stand back as a whole.
 */
final class Priority {
  private static final Logger log = LoggerFactory.getLogger(Priority.class);
  private static final Path AUTOGROUP = Path.of("/proc/self/autogroup");
  private static final String NICENESS = "10";

  private Priority() {}

  /** Lowers the priority of this session where it is ours alone and the kernel can do so. */
  static void standBack() {
    try {
      if (leadsSession() && Files.isWritable(AUTOGROUP)) {
        Files.writeString(AUTOGROUP, NICENESS);
      }
    } catch (IOException e) {
      log.debug("The priority stays as it is: {}", e.getMessage());
    }
  }

  private static boolean leadsSession() throws IOException {
    Path stat = Path.of("/proc/self/stat");
    if (!Files.isReadable(stat)) {
      return false;
    }
    String text = Files.readString(stat);
    // proc(5): after the command's name in parentheses: state, parent, group, session.
    List<String> fields = List.of(text.substring(text.lastIndexOf(')') + 2).split(" ", -1));
    return fields.get(3).equals(Long.toString(ProcessHandle.current().pid()));
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.util.List;
import java.util.Optional;

/**
 * A command to run in the container and the directory of a running task.
 *
 * @param command the words of the command; empty for a shell
 * @param terminal the terminal it gets; empty for pipes
 */
public record ExecRequest(List<String> command, Optional<Terminal> terminal) {
  /** A login without a command gets bash where there is one. */
  private static final List<String> SHELL =
      List.of("/bin/sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash; exec sh");

  /**
   * A terminal.
   *
   * @param rows its height in characters
   * @param columns its width in characters
   * @param type its name in terminfo, the variable TERM
   */
  public record Terminal(int rows, int columns, String type) {}

  /** Copies the words. */
  public ExecRequest {
    command = command.isEmpty() ? SHELL : List.copyOf(command);
  }
}

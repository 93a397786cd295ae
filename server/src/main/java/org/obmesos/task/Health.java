// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.List;
import java.util.Objects;

/**
 * How to see that a task does what it is for (Mesos' docs/health-checks.md). One that does not,
 * three times in a row, is ended.
 *
 * @param kind what is tried
 * @param target the command, or the path to ask for; empty for a connection
 * @param port the port's number, or its place or name among the block's ports; empty for a command
 */
public record Health(Kind kind, String target, String port) {
  /** What is tried. */
  public enum Kind {
    /** A command of the shell, which has to end with 0. */
    CMD,
    /** A request, which has to be answered with a status from 200 to 399. */
    HTTP,
    /** A connection, which has to be made. */
    TCP
  }

  /**
   * Checks that the parts go together.
   *
   * @throws InvalidBlockException if they do not
   */
  public Health {
    Objects.requireNonNull(kind, "kind");
    boolean bad =
        switch (kind) {
          case CMD -> target.isBlank();
          case HTTP -> !target.startsWith("/") || port.isEmpty();
          case TCP -> port.isEmpty();
        };
    if (bad || (target + port).contains("\0")) {
      throw new InvalidBlockException(
          "health", "cmd COMMAND, http [PORT]/PATH or tcp [PORT]; the port is one of :ports");
    }
  }

  /**
   * Checks that the port is one.
   *
   * @param names those of the block's ports
   * @throws InvalidBlockException if it is neither a number nor one of the names
   */
  void checkPort(List<String> names) {
    if (kind != Kind.CMD && !names.contains(port) && number() < 1) {
      throw new InvalidBlockException(
          "health", "the port is from 1 to 65535, or one of :ports, not '" + port + "'");
    }
  }

  /** The port as a number; -1 if it is none. */
  private int number() {
    int number = port.matches("[0-9]{1,5}") ? Integer.parseInt(port) : -1;
    return number <= 65535 ? number : -1;
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.List;
import java.util.Objects;

/**
 * A health check (Mesos' docs/health-checks.md). A task is ended after three failures in a row.
 *
 * @param kind what is checked
 * @param target the command, or the path of the request; empty for TCP
 * @param port a port number, or the name of one of the block's ports; empty for a command
 */
public record Health(Kind kind, String target, String port) {
  /** What is checked. */
  public enum Kind {
    /** A shell command that must exit with 0. */
    CMD,
    /** An HTTP request that must be answered with a status from 200 to 399. */
    HTTP,
    /** A TCP connection that must be accepted. */
    TCP
  }

  /**
   * Validates the combination.
   *
   * @throws InvalidBlockException if it is not valid
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
   * Validates the port.
   *
   * @param names the names of the block's ports
   * @throws InvalidBlockException if it is neither a port number nor one of the names
   */
  void checkPort(List<String> names) {
    if (kind != Kind.CMD && !names.contains(port) && number() < 1) {
      throw new InvalidBlockException(
          "health", "the port is from 1 to 65535, or one of :ports, not '" + port + "'");
    }
  }

  /** Returns the port as a number; -1 if it is not one. */
  private int number() {
    int number = port.matches("[0-9]{1,5}") ? Integer.parseInt(port) : -1;
    return number <= 65535 ? number : -1;
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/** A block is not valid; names the header argument at fault. */
public final class InvalidBlockException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final String argument;

  /**
   * Creates an exception.
   *
   * @param argument the header argument or field at fault, without its colon
   * @param allowed what is allowed, for the user
   */
  public InvalidBlockException(String argument, String allowed) {
    super(argument + ": " + allowed);
    this.argument = Objects.requireNonNull(argument, "argument");
  }

  /** The header argument or field at fault, without its colon. */
  public String argument() {
    return argument;
  }
}

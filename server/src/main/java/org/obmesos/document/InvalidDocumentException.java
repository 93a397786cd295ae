// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.document;

/** A document is not valid; the message has the line and the reason. */
public final class InvalidDocumentException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * Creates an exception.
   *
   * @param line the line, from 1
   */
  public InvalidDocumentException(int line, String message) {
    super("line " + line + ": " + message);
  }
}

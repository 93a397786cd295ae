// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.document;

/** A document that cannot be taken; the message says where, and what is allowed. */
public final class InvalidDocumentException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * Makes one.
   *
   * @param line where it is, from 1
   */
  public InvalidDocumentException(int line, String message) {
    super("line " + line + ": " + message);
  }
}

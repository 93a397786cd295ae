// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos;

/** The command line is not valid; the message names the argument. */
final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1;

  UsageException(String message, Exception cause) {
    super(message, cause);
  }
}

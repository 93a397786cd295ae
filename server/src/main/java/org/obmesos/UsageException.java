// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos;

/**
 * The command line asks for what cannot be; the message names the option, and is all there is to
 * say.
 */
final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1;

  UsageException(String message, Exception cause) {
    super(message, cause);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;

/** A sandbox cannot be reached now, but may be later: its agent does not answer, or is busy. */
public final class SandboxUnavailableException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception with a sentence for the user. */
  public SandboxUnavailableException(String message, Throwable cause) {
    super(message, cause);
  }
}

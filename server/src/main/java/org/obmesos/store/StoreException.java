// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

/** The store could not be read or written; nothing of the failed operation was stored. */
public final class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Creates an exception with SQLite's message and its cause. */
  public StoreException(String message, Throwable cause) {
    super(message, cause);
  }
}

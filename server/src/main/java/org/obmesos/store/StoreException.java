// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

/** The store could not be read or written. */
public final class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Makes one. */
  public StoreException(String message, Throwable cause) {
    super(message, cause);
  }
}

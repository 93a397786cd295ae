// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/**
 * A file that belongs to a result, which is kept by its content.
 *
 * @param digest the SHA-256 of its content, in hexadecimal
 * @param size its size in bytes
 */
public record KeptFile(String digest, long size) {
  /** Rejects a digest that is none: it is the name of a file. */
  public KeptFile {
    Objects.requireNonNull(digest, "digest");
    if (!digest.matches("[0-9a-f]{64}")) {
      throw new IllegalArgumentException("not a digest: " + digest);
    }
  }
}

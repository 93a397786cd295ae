// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.util;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HexFormat;

/** SHA-256 digests, in hexadecimal. */
public final class Digests {
  private static final int PIECE = 1 << 16;

  private Digests() {}

  /** Returns a new SHA-256. */
  public static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("each Java has SHA-256", e);
    }
  }

  /** Returns the digest of what was put into a SHA-256. */
  public static String hex(MessageDigest sha) {
    return HexFormat.of().formatHex(sha.digest());
  }

  /** Returns the digest of a text. */
  public static String of(String text) {
    MessageDigest sha = sha256();
    sha.update(text.getBytes(StandardCharsets.UTF_8));
    return hex(sha);
  }

  /** Returns the digest of words, none of which contains a NUL character. */
  public static String of(Collection<String> words) {
    MessageDigest sha = sha256();
    for (String word : words) {
      sha.update(word.getBytes(StandardCharsets.UTF_8));
      sha.update((byte) 0);
    }
    return hex(sha);
  }

  /** Returns the digest of all that a stream still has. */
  public static String of(InputStream stream) throws IOException {
    MessageDigest sha = sha256();
    byte[] piece = new byte[PIECE];
    for (int read = stream.read(piece); read >= 0; read = stream.read(piece)) {
      sha.update(piece, 0, read);
    }
    return hex(sha);
  }
}

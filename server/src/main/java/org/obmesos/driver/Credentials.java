// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Objects;

/**
 * A principal and its secret, for HTTP basic authentication.
 *
 * @param principal the name of the principal
 * @param secret the secret; never shown
 */
public record Credentials(String principal, String secret) {
  /** Rejects null components. */
  public Credentials {
    Objects.requireNonNull(principal, "principal");
    Objects.requireNonNull(secret, "secret");
  }

  /** Returns the value of an {@code Authorization} header. */
  public String header() {
    byte[] both = (principal + ":" + secret).getBytes(StandardCharsets.UTF_8);
    return "Basic " + Base64.getEncoder().encodeToString(both);
  }

  @Override
  public String toString() {
    return "Credentials[principal=" + principal + "]";
  }
}

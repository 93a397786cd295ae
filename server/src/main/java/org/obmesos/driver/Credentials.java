// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Objects;

/**
 * Who we are, for HTTP basic authentication.
 *
 * @param principal a name
 * @param secret what proves it; never shown
 */
public record Credentials(String principal, String secret) {
  /** No component is null. */
  public Credentials {
    Objects.requireNonNull(principal, "principal");
    Objects.requireNonNull(secret, "secret");
  }

  /** The value of an {@code Authorization} header. */
  public String header() {
    byte[] both = (principal + ":" + secret).getBytes(StandardCharsets.UTF_8);
    return "Basic " + Base64.getEncoder().encodeToString(both);
  }

  @Override
  public String toString() {
    return "Credentials[principal=" + principal + "]";
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import com.sun.net.httpserver.Headers;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Who may come in: with a token whoever shows it, without one this machine. A browser of this
 * machine is not trusted for that alone, for it does what pages from anywhere tell it: what comes
 * from another page (its {@code Origin}), or under a name that somebody else has pointed to this
 * machine (its {@code Host}), is refused.
 */
final class Guard {
  private static final Set<String> OURSELVES = Set.of("localhost", "127.0.0.1", "[::1]");

  /** What tells nothing: the page, which asks for the token, and that there is a server. */
  private static final Set<String> OPEN = Set.of("/", "/page.js", "/page.css", "/healthz");

  private final Optional<byte[]> token;

  Guard(Optional<String> token) {
    this.token = token.map(word -> word.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Lets a request pass.
   *
   * @throws Refusal if it may not
   */
  void check(String path, Headers headers) {
    String host = Optional.ofNullable(headers.getFirst("Host")).orElse("");
    String origin = headers.getFirst("Origin");
    if (origin != null && !host.equals(authority(origin))) {
      throw new Refusal(403, "Another page may not ask this");
    }
    if (token.isEmpty()) {
      if (!OURSELVES.contains(withoutPort(host))) {
        throw new Refusal(403, "This is not " + (host.isEmpty() ? "a host" : host));
      }
    } else if (!OPEN.contains(path) && !isTold(headers.getFirst("Authorization"))) {
      throw new Refusal(401, "A token is wanted", Map.of("WWW-Authenticate", "Bearer"));
    }
  }

  private static String authority(String origin) {
    try {
      return Optional.ofNullable(URI.create(origin).getRawAuthority()).orElse("");
    } catch (IllegalArgumentException e) {
      // Not even an address, so none of ours.
      return "";
    }
  }

  private static String withoutPort(String host) {
    return host.replaceFirst(":\\d*$", "").toLowerCase(Locale.ROOT);
  }

  private boolean isTold(String authorization) {
    return authorization != null
        && authorization.regionMatches(true, 0, "Bearer ", 0, 7)
        && MessageDigest.isEqual(
            token.orElseThrow(),
            authorization.substring(7).strip().getBytes(StandardCharsets.UTF_8));
  }
}

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
 * Rejects requests without the token. Browsers send requests on behalf of any page, so requests
 * from other pages (by {@code Origin}) are rejected, and without a token also those under another
 * name for this machine (by {@code Host}), which DNS rebinding would use.
 */
final class RequestAuthenticator {
  private static final Set<String> LOCAL_NAMES = Set.of("localhost", "127.0.0.1", "[::1]");

  /** The paths that need no token: the page, which asks for it, and the health check. */
  private static final Set<String> PUBLIC = Set.of("/", "/page.js", "/page.css", "/healthz");

  private final Optional<byte[]> token;

  RequestAuthenticator(Optional<String> token) {
    this.token = token.map(text -> text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Checks a request.
   *
   * @throws HttpException if it is not allowed
   */
  void check(String path, Headers headers) {
    String host = Optional.ofNullable(headers.getFirst("Host")).orElse("");
    String origin = headers.getFirst("Origin");
    if (origin != null && !host.equals(authority(origin))) {
      throw new HttpException(403, "Requests from other web pages are not allowed");
    }
    if (token.isEmpty()) {
      if (!LOCAL_NAMES.contains(withoutPort(host))) {
        throw new HttpException(403, "The host name '" + host + "' is not allowed");
      }
    } else if (!PUBLIC.contains(path) && !hasToken(headers.getFirst("Authorization"))) {
      throw new HttpException(401, "A token is required", Map.of("WWW-Authenticate", "Bearer"));
    }
  }

  private static String authority(String origin) {
    try {
      return Optional.ofNullable(URI.create(origin).getRawAuthority()).orElse("");
    } catch (IllegalArgumentException e) {
      return "";
    }
  }

  private static String withoutPort(String host) {
    return host.replaceFirst(":\\d*$", "").toLowerCase(Locale.ROOT);
  }

  private boolean hasToken(String authorization) {
    return authorization != null
        && authorization.regionMatches(true, 0, "Bearer ", 0, 7)
        && MessageDigest.isEqual(
            token.orElseThrow(),
            authorization.substring(7).strip().getBytes(StandardCharsets.UTF_8));
  }
}

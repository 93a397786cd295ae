// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The settings of the HTTP server.
 *
 * @param address the address it listens at; port 0 is any free port
 * @param token the token that requests must have; empty to let every user of this machine in
 */
public record HttpFrontendOptions(InetSocketAddress address, Optional<String> token) {
  /** The shortest token, in characters. */
  public static final int MIN_TOKEN = 16;

  private static final Pattern ADDRESS = Pattern.compile("(?:(.*):)?(\\d{1,5})");

  /**
   * Validates the combination.
   *
   * @throws IllegalArgumentException if the token is too short, or there is none for an address
   *     that other machines can reach
   */
  public HttpFrontendOptions {
    if (token.isPresent() && token.get().length() < MIN_TOKEN) {
      throw new IllegalArgumentException(
          "the token is too short: at least " + MIN_TOKEN + " characters");
    }
    if (token.isEmpty() && !address.getAddress().isLoopbackAddress()) {
      throw new IllegalArgumentException(
          address.getHostString()
              + " can be reached from other machines, so --no-token is not allowed");
    }
  }

  /**
   * Parses an address.
   *
   * @param address {@code HOST:PORT}, or a port of the loopback interface
   * @throws IllegalArgumentException if it is not valid, or the host cannot be resolved
   */
  public static InetSocketAddress parseAddress(String address) {
    Matcher matcher = ADDRESS.matcher(address);
    if (!matcher.matches() || Integer.parseInt(matcher.group(2)) > 65535) {
      throw new IllegalArgumentException("HOST:PORT, not '" + address + "'");
    }
    String host = matcher.group(1) == null ? "127.0.0.1" : matcher.group(1);
    try {
      return new InetSocketAddress(
          InetAddress.getByName(host.replaceAll("[\\[\\]]", "")),
          Integer.parseInt(matcher.group(2)));
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("there is no host " + host, e);
    }
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the door is, and who may come in.
 *
 * @param address where it listens; port 0 is any that is free
 * @param token what everybody has to show; empty where only this machine can come
 */
public record DoorOptions(InetSocketAddress address, Optional<String> token) {
  /** The shortest token; shorter ones can be guessed. */
  public static final int SHORTEST_TOKEN = 16;

  private static final Pattern ADDRESS = Pattern.compile("(?:(.*):)?(\\d{1,5})");

  /**
   * Checks what is said above.
   *
   * @throws IllegalArgumentException if others could come in without a token
   */
  public DoorOptions {
    if (token.isPresent() && token.get().length() < SHORTEST_TOKEN) {
      throw new IllegalArgumentException(
          "the token is too short: at least " + SHORTEST_TOKEN + " characters");
    }
    if (token.isEmpty() && !address.getAddress().isLoopbackAddress()) {
      throw new IllegalArgumentException(
          address.getHostString()
              + " can be reached from elsewhere: name a file with a token (--http-token-file), or"
              + " put it into OB_MESOS_HTTP_TOKEN");
    }
  }

  /**
   * Those for an address as a user writes it.
   *
   * @param address {@code HOST:PORT}, or a port of the loopback interface
   * @throws IllegalArgumentException if it is none, or there is no such host
   */
  public static DoorOptions of(String address, Optional<String> token) {
    Matcher matcher = ADDRESS.matcher(address);
    if (!matcher.matches() || Integer.parseInt(matcher.group(2)) > 65535) {
      throw new IllegalArgumentException("HOST:PORT, not '" + address + "'");
    }
    String host = matcher.group(1) == null ? "127.0.0.1" : matcher.group(1);
    try {
      return new DoorOptions(
          new InetSocketAddress(
              InetAddress.getByName(host.replaceAll("[\\[\\]]", "")),
              Integer.parseInt(matcher.group(2))),
          token);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("there is no host " + host, e);
    }
  }
}

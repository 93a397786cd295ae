// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** The address of one or more masters, as a user writes it. */
public sealed interface MasterAddress {
  /** The port of a master without one. */
  int DEFAULT_PORT = 5050;

  /** The largest port. */
  int MAX_PORT = 65535;

  /**
   * Masters by host and port.
   *
   * @param masters one or more URIs with the scheme {@code http} or {@code https}
   */
  record Fixed(List<URI> masters) implements MasterAddress {
    /** Copies the list. */
    public Fixed {
      masters = List.copyOf(masters);
    }
  }

  /**
   * Masters that ZooKeeper knows.
   *
   * @param servers {@code host:port,host:port}
   * @param path the path of the masters' nodes
   * @param login {@code user:password}, if the nodes require it
   */
  record ZooKeeper(String servers, String path, Optional<String> login) implements MasterAddress {
    /** Rejects null components. */
    public ZooKeeper {
      Objects.requireNonNull(servers, "servers");
      Objects.requireNonNull(path, "path");
      Objects.requireNonNull(login, "login");
    }

    /** Leaves out the password. */
    @Override
    public String toString() {
      return "zk://" + servers + path;
    }
  }

  /**
   * Parses {@code host}, {@code host:port}, {@code http://host:port}, {@code https://...}, several
   * of these with commas between, or {@code zk://[user:password@]host:port,host:port/path}.
   *
   * @throws IllegalArgumentException with a sentence for the user if it is not valid
   */
  static MasterAddress parse(String text) {
    String trimmed = text.trim();
    if (trimmed.startsWith("zk://")) {
      return zooKeeper(trimmed.substring("zk://".length()));
    }
    List<URI> masters = new ArrayList<>();
    for (String part : trimmed.split(",", -1)) {
      masters.add(master(part.trim()));
    }
    return new Fixed(masters);
  }

  private static ZooKeeper zooKeeper(String rest) {
    int at = rest.lastIndexOf('@');
    Optional<String> login = at < 0 ? Optional.empty() : Optional.of(rest.substring(0, at));
    String place = rest.substring(at + 1);
    int slash = place.indexOf('/');
    if (slash <= 0 || slash == place.length() - 1) {
      throw new IllegalArgumentException(
          "The master's address zk://" + place + " needs a host and a path: zk://host:2181/mesos");
    }
    return new ZooKeeper(place.substring(0, slash), place.substring(slash), login);
  }

  private static URI master(String text) {
    String whole = text.contains("://") ? text : "http://" + text;
    try {
      URI uri = new URI(whole);
      boolean web = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      boolean bare = uri.getPath().isEmpty() || uri.getPath().equals("/");
      boolean port = uri.getPort() <= MAX_PORT;
      if (web && uri.getHost() != null && bare && port && uri.getUserInfo() == null) {
        int at = uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort();
        return new URI(uri.getScheme(), null, uri.getHost(), at, "", null, null);
      }
      if (web && bare && uri.getHost() == null && isHostWithUnderscore(uri.getRawAuthority())) {
        boolean named = uri.getRawAuthority().contains(":");
        return URI.create(
            uri.getScheme() + "://" + uri.getRawAuthority() + (named ? "" : ":" + DEFAULT_PORT));
      }
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(notAnAddress(text), e);
    }
    throw new IllegalArgumentException(notAnAddress(text));
  }

  /** {@link URI} does not take such a name for a host, but networks of containers use them. */
  private static boolean isHostWithUnderscore(String authority) {
    return authority != null && authority.matches("[A-Za-z0-9][A-Za-z0-9_.-]*(:\\d{1,5})?");
  }

  private static String notAnAddress(String text) {
    return "The master's address cannot be \""
        + text
        + "\": it is local, host:port, http(s)://host:port, several of these with commas between, or"
        + " zk://host:2181/mesos";
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.List;

/**
 * How a container is reached.
 *
 * @param name {@code host}, {@code bridge}, or that of a network there is
 * @param exposed ports of the container that are ports of its host too
 */
public record Network(String name, List<Exposed> exposed) {
  /** The host's own. */
  public static final Network HOST = new Network("host", List.of());

  /** A network of this name exposes nothing: all there is is the host's. */
  private static final String HOST_NAME = "host";

  /**
   * One of them.
   *
   * @param host the host's port; 0 for one that is offered
   * @param container the container's port
   */
  public record Exposed(int host, int container) {
    /**
     * Checks the range.
     *
     * @throws InvalidBlockException if one is no port
     */
    public Exposed {
      if (host < 0 || host > 65535 || container < 1 || container > 65535) {
        throw new InvalidBlockException("expose", "ports are from 1 to 65535");
      }
    }
  }

  /**
   * Checks the name.
   *
   * @throws InvalidBlockException if it is no word, or ports are exposed on the host's network
   */
  public Network {
    exposed = List.copyOf(exposed);
    if (!name.matches("[A-Za-z0-9][A-Za-z0-9_.-]*")) {
      throw new InvalidBlockException("network", "host, bridge, or the name of a network");
    }
    if (name.equals(HOST_NAME) && !exposed.isEmpty()) {
      throw new InvalidBlockException("expose", "ports are exposed with a network such as bridge");
    }
  }

  /** Whether it is the host's own. */
  public boolean isHost() {
    return name.equals(HOST_NAME);
  }
}

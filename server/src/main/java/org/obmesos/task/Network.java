// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.List;

/**
 * The network of a container.
 *
 * @param name {@code host}, {@code bridge}, or the name of a network
 * @param exposed the ports of the container that are mapped to ports of the host
 */
public record Network(String name, List<Exposed> exposed) {
  /** The host's network. */
  public static final Network HOST = new Network("host", List.of());

  /** The name of the host's network, on which there is nothing to map. */
  private static final String HOST_NAME = "host";

  /**
   * A port mapping.
   *
   * @param host the host's port; 0 for one from the offer
   * @param container the container's port
   */
  public record Exposed(int host, int container) {
    /**
     * Validates the range.
     *
     * @throws InvalidBlockException if one is not a port
     */
    public Exposed {
      if (host < 0 || host > 65535 || container < 1 || container > 65535) {
        throw new InvalidBlockException("expose", "ports are from 1 to 65535");
      }
    }
  }

  /**
   * Validates the name and the mappings.
   *
   * @throws InvalidBlockException if the name is not valid, or ports are mapped on the host's
   *     network
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

  /** Returns whether it is the host's network. */
  public boolean isHost() {
    return name.equals(HOST_NAME);
  }
}

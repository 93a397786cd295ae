// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.List;
import java.util.Objects;

/**
 * What a task runs in.
 *
 * @param image what it is made of
 * @param network how it is reached
 * @param volumes directories of the host that it sees
 * @param privileged whether it may do what the host's root may
 */
public record Container(Image image, Network network, List<Volume> volumes, boolean privileged) {
  /**
   * A directory of the host.
   *
   * @param host its path there; absolute, or within the sandbox
   * @param container the path in the container, absolute
   * @param readOnly whether it can only be read
   */
  public record Volume(String host, String container, boolean readOnly) {
    /**
     * Checks the paths.
     *
     * @throws InvalidBlockException if one is missing, or the container's is not absolute
     */
    public Volume {
      if (host.isBlank() || !container.startsWith("/") || (host + container).contains("\0")) {
        throw new InvalidBlockException("volumes", "HOST-PATH:/CONTAINER-PATH, or with :ro");
      }
    }
  }

  /**
   * Checks that Mesos is not asked for privileges, of which it knows nothing.
   *
   * @throws InvalidBlockException if it is
   */
  public Container {
    Objects.requireNonNull(image, "image");
    Objects.requireNonNull(network, "network");
    volumes = List.copyOf(volumes);
    if (privileged && image.containerizer() == Image.Containerizer.MESOS) {
      throw new InvalidBlockException("privileged", "yes with :containerizer docker only");
    }
  }

  /** How many of the host's ports it exposes that are still to be offered. */
  public int offeredPorts() {
    return (int) network.exposed().stream().filter(port -> port.host() == 0).count();
  }

  /** Those of the host's ports it exposes that it names itself. */
  public List<Integer> fixedPorts() {
    return network.exposed().stream()
        .map(Network.Exposed::host)
        .filter(port -> port != 0)
        .distinct()
        .toList();
  }
}

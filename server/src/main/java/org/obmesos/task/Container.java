// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.List;
import java.util.Objects;

/**
 * The container of a task.
 *
 * @param image the image
 * @param network the network and exposed ports
 * @param volumes the mounted directories of the host
 * @param privileged whether it has all capabilities of the host's root
 */
public record Container(Image image, Network network, List<Volume> volumes, boolean privileged) {
  /**
   * A mounted directory of the host.
   *
   * @param host the path on the host, absolute or relative to the sandbox
   * @param container the absolute path in the container
   * @param readOnly whether it is mounted read-only
   */
  public record Volume(String host, String container, boolean readOnly) {
    /**
     * Validates the paths.
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
   * Validates that only Docker is asked for privileges: Mesos' own containerizer has none.
   *
   * @throws InvalidBlockException if the containerizer is Mesos
   */
  public Container {
    Objects.requireNonNull(image, "image");
    Objects.requireNonNull(network, "network");
    volumes = List.copyOf(volumes);
    if (privileged && image.containerizer() == Image.Containerizer.MESOS) {
      throw new InvalidBlockException("privileged", "yes with :containerizer docker only");
    }
  }

  /** Returns the number of host ports it gets from the offer. */
  public int offeredPorts() {
    return (int) network.exposed().stream().filter(port -> port.host() == 0).count();
  }

  /** Returns the host ports it names itself. */
  public List<Integer> fixedPorts() {
    return network.exposed().stream()
        .map(Network.Exposed::host)
        .filter(port -> port != 0)
        .distinct()
        .toList();
  }
}

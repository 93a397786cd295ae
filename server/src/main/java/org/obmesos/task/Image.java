// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/**
 * What a container is made of.
 *
 * @param name the image, as registries have it
 * @param containerizer what runs it on a cluster's agent
 * @param pull whether it is pulled even if it is there
 * @param entrypoint whether the image's own command runs if the block has no body
 */
public record Image(String name, Containerizer containerizer, boolean pull, boolean entrypoint) {
  /** What runs images on an agent. */
  public enum Containerizer {
    /** Mesos itself. */
    MESOS,
    /** Docker. */
    DOCKER
  }

  /**
   * Checks the name.
   *
   * @throws InvalidBlockException if it is empty, or no word
   */
  public Image {
    Objects.requireNonNull(containerizer, "containerizer");
    if (!name.matches("[^\\s\\x00-\\x20-][^\\s\\x00-\\x20]*")) {
      throw new InvalidBlockException("image", "the name of an image");
    }
  }
}

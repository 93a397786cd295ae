// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/**
 * The image of a container.
 *
 * @param name the name of the image
 * @param containerizer what runs it on an agent of a cluster
 * @param pull whether it is pulled even if it is present
 * @param entrypoint whether the image's own command runs if the block is empty
 */
public record Image(String name, Containerizer containerizer, boolean pull, boolean entrypoint) {
  /** What runs images on an agent. */
  public enum Containerizer {
    /** Mesos' own containerizer. */
    MESOS,
    /** Docker. */
    DOCKER
  }

  /**
   * Validates the name.
   *
   * @throws InvalidBlockException if it is empty or contains white space
   */
  public Image {
    Objects.requireNonNull(containerizer, "containerizer");
    if (!name.matches("[^\\s\\x00-\\x20-][^\\s\\x00-\\x20]*")) {
      throw new InvalidBlockException("image", "the name of an image");
    }
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.obmesos.task.AvailableResources;
import org.obmesos.task.Block;

/**
 * The limits of a cluster whose agents are all known in advance.
 *
 * @param largest the most that any agent ever offers
 * @param otherReason returns another reason why a block can never run there; empty if there is none
 */
public record ClusterLimits(
    AvailableResources largest, Function<Block, Optional<String>> otherReason) {
  /** Rejects null components. */
  public ClusterLimits {
    Objects.requireNonNull(largest, "largest");
    Objects.requireNonNull(otherReason, "otherReason");
  }

  /** Returns why a block can never run, as a clause that follows "The task"; empty if it can. */
  Optional<String> rejectionReason(Block block) {
    return largest
        .shortage(block)
        .map(why -> "fits on no agent: " + why)
        .or(() -> otherReason.apply(block));
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.obmesos.task.Block;
import org.obmesos.task.Ports;
import org.obmesos.task.Resources;

/**
 * What a cluster of which all is known can never run.
 *
 * @param most what no agent ever has more of
 * @param ports all ports that any agent ever has
 * @param further says why a block can never run for other reasons; empty if it can
 */
public record Bounds(Resources most, Ports ports, Function<Block, Optional<String>> further) {
  /** No component is null. */
  public Bounds {
    Objects.requireNonNull(most, "most");
    Objects.requireNonNull(ports, "ports");
    Objects.requireNonNull(further, "further");
  }

  /** Why a block can never run, in words that follow "The task"; empty if it can. */
  Optional<String> never(Block block) {
    return new Room(most, ports)
        .shortage(block)
        .map(why -> "fits on no agent: " + why)
        .or(() -> further.apply(block));
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/**
 * Resources of one agent: the sum of its scalar resources and the set of its ports. Used for what
 * is offered, what is used and what is left.
 *
 * @param scalars cpus, memory, disk and GPUs
 * @param ports port numbers, each of which one task can have
 */
public record AvailableResources(Resources scalars, Ports ports) {
  /** No resources. */
  public static final AvailableResources NONE = new AvailableResources(Resources.NONE, Ports.NONE);

  /** Rejects null components. */
  public AvailableResources {
    Objects.requireNonNull(scalars, "scalars");
    Objects.requireNonNull(ports, "ports");
  }

  /** Returns the sum of both. */
  public AvailableResources plus(AvailableResources other) {
    return new AvailableResources(scalars.plus(other.scalars), ports.plus(other.ports));
  }

  /**
   * Returns the difference.
   *
   * @throws IllegalArgumentException if this has less of any scalar than the other
   */
  public AvailableResources minus(AvailableResources other) {
    return new AvailableResources(scalars.minus(other.scalars), ports.minus(other.ports));
  }

  /** Returns the difference, with 0 where the other has more. */
  public AvailableResources minusAtMost(AvailableResources other) {
    return new AvailableResources(scalars.minusAtMost(other.scalars), ports.minus(other.ports));
  }

  /** Returns the larger of both amounts for each scalar, and the ports of both. */
  public AvailableResources max(AvailableResources other) {
    return new AvailableResources(scalars.max(other.scalars), ports.plus(other.ports));
  }

  /** Returns whether this has at least as much of everything as the other. */
  public boolean contains(AvailableResources other) {
    return scalars.contains(other.scalars) && ports.contains(other.ports);
  }

  /** Returns whether a block's resources and ports are in this. */
  public boolean fits(Block block) {
    return scalars.contains(block.resources())
        && ports.contains(block.fixedPorts())
        && ports.size() >= block.fixedPorts().size() + block.offeredPorts();
  }

  /** Returns whether no task can fit, because cpus or memory are used up. */
  public boolean isExhausted() {
    return scalars.cpus() <= 0 || scalars.memMiB() <= 0;
  }

  /** Describes what a block needs more of than there is; empty if it fits. */
  public Optional<String> shortage(Block block) {
    List<String> lacking = new ArrayList<>();
    compare(lacking, "cpus", Resources::cpus, block.resources());
    compare(lacking, "mem", Resources::memMiB, block.resources());
    compare(lacking, "disk", Resources::diskMiB, block.resources());
    compare(lacking, "gpus", Resources::gpus, block.resources());
    int wanted = block.fixedPorts().size() + block.offeredPorts();
    if (ports.size() < wanted) {
      lacking.add("ports: wants " + wanted + ", largest offer " + ports.size());
    } else if (!ports.contains(block.fixedPorts())) {
      lacking.add("ports: wants " + block.fixedPorts() + ", which were not offered");
    }
    return lacking.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", lacking));
  }

  private void compare(
      List<String> lacking, String name, ToDoubleFunction<Resources> kind, Resources wanted) {
    double needed = kind.applyAsDouble(wanted);
    double offered = kind.applyAsDouble(scalars);
    if (needed > offered) {
      lacking.add(
          "%s: wants %s, largest offer %s"
              .formatted(name, Resources.format(needed), Resources.format(offered)));
    }
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.Resource;
import org.obmesos.driver.MesosResources;
import org.obmesos.task.Block;
import org.obmesos.task.Ports;
import org.obmesos.task.Resources;

/**
 * What there is for tasks.
 *
 * @param scalars what is counted
 * @param ports what there is only once
 */
record Room(Resources scalars, Ports ports) {
  static final Room NONE = new Room(Resources.NONE, Ports.NONE);

  /** What is in offers, all of them together. */
  static Room of(List<Offer> offers) {
    List<Resource> all = offers.stream().flatMap(it -> it.getResourcesList().stream()).toList();
    return new Room(MesosResources.sum(all), MesosResources.ports(all));
  }

  /** Whether a block fits in. */
  boolean holds(Block block) {
    return scalars.contains(block.resources())
        && ports.contains(block.fixedPorts())
        && ports.size() >= block.fixedPorts().size() + block.offeredPorts();
  }

  /** What is left of this after a block, which fits in, has taken those ports. */
  Room minus(Block block, Ports taken) {
    return new Room(scalars.minus(block.resources()), ports.minus(taken));
  }

  /** Of each kind as much as the one of the two that has more of it. */
  Room most(Room other) {
    return new Room(scalars.most(other.scalars), ports.plus(other.ports));
  }

  /** No task can do without cpu and memory. */
  boolean isUsedUp() {
    return scalars.cpus() <= 0 || scalars.memMiB() <= 0;
  }

  /** What a block wants more of than there is, in words; empty if it fits in. */
  Optional<String> shortage(Block block) {
    List<String> words = new ArrayList<>();
    compare(words, "cpus", Resources::cpus, block.resources());
    compare(words, "mem", Resources::memMiB, block.resources());
    compare(words, "disk", Resources::diskMiB, block.resources());
    compare(words, "gpus", Resources::gpus, block.resources());
    int wanted = block.fixedPorts().size() + block.offeredPorts();
    if (ports.size() < wanted) {
      words.add("ports: wants " + wanted + ", largest offer " + ports.size());
    } else if (!ports.contains(block.fixedPorts())) {
      words.add("ports: wants " + block.fixedPorts() + ", which were not offered");
    }
    return words.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", words));
  }

  private void compare(
      List<String> words, String what, ToDoubleFunction<Resources> kind, Resources wanted) {
    double wish = kind.applyAsDouble(wanted);
    double most = kind.applyAsDouble(scalars);
    if (wish > most) {
      words.add(
          "%s: wants %s, largest offer %s"
              .formatted(what, MesosResources.amount(wish), MesosResources.amount(most)));
    }
  }
}

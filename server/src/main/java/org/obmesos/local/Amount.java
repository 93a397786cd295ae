// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.util.List;
import org.apache.mesos.v1.Protos.Resource;
import org.obmesos.driver.MesosResources;
import org.obmesos.task.Ports;
import org.obmesos.task.Resources;

/**
 * What of the agent is offered, used or free.
 *
 * @param scalars what is counted
 * @param ports what there is only once
 */
record Amount(Resources scalars, Ports ports) {
  static final Amount NONE = new Amount(Resources.NONE, Ports.NONE);

  static Amount of(List<Resource> resources) {
    return new Amount(MesosResources.sum(resources), MesosResources.ports(resources));
  }

  Amount plus(Amount other) {
    return new Amount(scalars.plus(other.scalars), ports.plus(other.ports));
  }

  Amount minus(Amount other) {
    return new Amount(scalars.minus(other.scalars), ports.minus(other.ports));
  }

  /** What is left of this, nothing of that of which the other has more. */
  Amount minusAtMost(Amount other) {
    Resources taken = other.scalars;
    return new Amount(
        new Resources(
            Math.max(0, scalars.cpus() - taken.cpus()),
            Math.max(0, scalars.memMiB() - taken.memMiB()),
            Math.max(0, scalars.diskMiB() - taken.diskMiB()),
            Math.max(0, scalars.gpus() - taken.gpus())),
        ports.minus(other.ports));
  }

  boolean contains(Amount other) {
    return scalars.contains(other.scalars) && ports.contains(other.ports);
  }

  /** As they stand in an offer to the role. */
  List<Resource> resources(String role) {
    return MesosResources.list(scalars, ports, role);
  }
}

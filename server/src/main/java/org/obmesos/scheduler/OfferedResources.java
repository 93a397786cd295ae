// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.List;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.Resource;
import org.obmesos.driver.MesosResources;
import org.obmesos.task.Ports;
import org.obmesos.task.Task;

/** The resources of offers that are used together, as tasks take theirs. */
final class OfferedResources {
  private List<Resource> left;

  OfferedResources(List<Offer> offers) {
    left = offers.stream().flatMap(offer -> offer.getResourcesList().stream()).toList();
  }

  /** What a task that fits gets, with the ports it was given; reserved resources go first. */
  List<Resource> take(Task task) {
    MesosResources.Taken taken =
        MesosResources.take(
            left,
            task.block().resources(),
            task.block().fixedPorts().plus(Ports.ofNumbers(task.placing().site().ports())));
    left = taken.left();
    return taken.resources();
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import java.time.Duration;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.obmesos.driver.SchedulerDriver;
import org.obmesos.local.LocalMesos;
import org.obmesos.local.LocalOptions;
import org.obmesos.sandbox.LocalSandboxes;
import org.obmesos.sandbox.Sandboxes;
import org.obmesos.task.Resources;

/** The embedded cluster. */
final class LocalMesosTest extends ConformanceTest {
  @Override
  SchedulerDriver connect(Scheduler scheduler) {
    return new LocalMesos(
        scheduler, new LocalOptions(directory, new Resources(8, 8192, 16384), Duration.ofDays(7)));
  }

  @Override
  Sandboxes sandboxes() {
    return new LocalSandboxes(directory);
  }

  @Override
  void end() {
    TestCluster.awaitNoProcesses(directory);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import java.util.Optional;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.junit.jupiter.api.AfterEach;
import org.obmesos.driver.HttpMesos;
import org.obmesos.driver.MasterAddress;
import org.obmesos.driver.SchedulerDriver;
import org.obmesos.driver.Web;

/** A master over HTTP. */
final class HttpMesosTest extends ConformanceTest {
  private TestCluster cluster;
  private TestMaster master;

  @Override
  SchedulerDriver connect(Scheduler scheduler) throws Exception {
    if (cluster == null) {
      cluster = new TestCluster(directory);
      master = new TestMaster(cluster);
    }
    return HttpMesos.of(
        scheduler,
        MasterAddress.parse(master.address()),
        Web.of(Optional.empty(), Web.Trust.SYSTEM),
        why -> {});
  }

  @AfterEach
  void end() {
    master.close();
    cluster.close();
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import java.util.Optional;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.obmesos.driver.NativeMesos;
import org.obmesos.driver.SchedulerDriver;

/** The same through Mesos' own library, where {@code MESOS_NATIVE_JAVA_LIBRARY} names it. */
@EnabledIfEnvironmentVariable(named = RealMesosTest.MASTER, matches = ".+")
@EnabledIfEnvironmentVariable(named = "MESOS_NATIVE_JAVA_LIBRARY", matches = ".+")
final class RealMesosNativelyTest extends MasterConformanceTest {
  @Override
  String address() {
    return System.getenv(RealMesosTest.MASTER);
  }

  @Override
  SchedulerDriver connect(Scheduler scheduler) {
    return new NativeMesos(scheduler, address(), Optional.empty(), why -> {});
  }
}

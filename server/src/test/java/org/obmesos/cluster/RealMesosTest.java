// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** A real Mesos, where {@code OB_MESOS_TEST_MASTER} says that there is one on this machine. */
@EnabledIfEnvironmentVariable(named = RealMesosTest.MASTER, matches = ".+")
final class RealMesosTest extends MasterConformanceTest {
  static final String MASTER = "OB_MESOS_TEST_MASTER";

  @Override
  String address() {
    return System.getenv(MASTER);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

/** A master over HTTP. */
final class HttpMesosTest extends MasterConformanceTest {
  private TestCluster cluster;
  private TestMaster master;

  @Override
  String address() throws Exception {
    if (cluster == null) {
      cluster = new TestCluster(directory);
      master = new TestMaster(cluster);
    }
    return master.address();
  }

  @Override
  void end() {
    master.close();
    cluster.close();
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import java.nio.file.Path;
import java.util.Optional;

/** A {@link TestMaster} of its own, for tests in other languages: DIRECTORY PORT. */
public final class TestMasterMain {
  private TestMasterMain() {}

  /** Prints the port (the given one, or any if that is 0) and serves until the end of stdin. */
  public static void main(String[] arguments) throws Exception {
    System.setProperty("com.google.protobuf.use_unsafe_pre22_gencode", "true");
    try (TestCluster cluster = new TestCluster(Path.of(arguments[0]));
        TestMaster master =
            new TestMaster(cluster, Optional.empty(), Integer.parseInt(arguments[1]))) {
      System.out.println(master.port());
      while (System.in.read() >= 0) {
        // Whoever started us says nothing.
      }
    }
    Runtime.getRuntime().halt(0);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.obmesos.rpc.ServerProcess;

/** A command executor does not tell what its task has used; its agent does, while it runs. */
final class ContainerUsageTest {
  @TempDir private Path directory;

  @Test
  void theStatisticsOfTheContainerAreTheUsageOfTheTask() throws Exception {
    Path gate = directory.resolve("gate");
    try (TestCluster cluster = new TestCluster(directory.resolve("cluster"));
        TestMaster master = new TestMaster(cluster);
        ServerProcess server =
            new ServerProcess(
                directory.resolve("state"), "--master", master.address(), "--share-limit", "0,0")) {
      server.call("initialize", "{}");
      server.call(
          "task/submit",
          "{\"blocks\":[{\"id\":\"a\",\"body\":\"while [ ! -e %s ]; do sleep 0.05; done\"}]}"
              .formatted(gate));
      await()
          .atMost(FrameworkTests.LONG)
          .until(() -> server.task("a").get("cpuSeconds") instanceof com.google.gson.JsonPrimitive);
      assertThat(server.task("a").get("state").getAsString()).isEqualTo("RUNNING");
      Files.createFile(gate);
      JsonObject ended = server.ended("a");
      assertThat(ended.get("cpuSeconds").getAsDouble()).isEqualTo(0.14 + 0.1);
      assertThat(ended.get("peakKiB").getAsLong()).isEqualTo(453341184 / 1024);
      assertThat(ended.get("wallSeconds").getAsDouble()).isPositive();
    }
  }
}

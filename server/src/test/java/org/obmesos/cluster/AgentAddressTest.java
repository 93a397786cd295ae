// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.obmesos.rpc.ServerProcess;

/** Networks of containers have host names with an underscore, which java.net.URI does not take. */
final class AgentAddressTest {
  @TempDir private Path directory;

  @Test
  void anAddressThatIsNoneIsRefusedAtTheStart() throws Exception {
    for (String wrong : List.of("agent=host:1", "agent:5051=host", "agent:5051=ftp://host:1")) {
      try (ServerProcess server =
          new ServerProcess(
              Map.of(),
              List.of(
                  "--state-dir",
                  directory.resolve("state").toString(),
                  "--agent-address",
                  wrong))) {
        assertThat(server.process().waitFor(40, TimeUnit.SECONDS)).isTrue();
        assertThat(server.process().exitValue()).as(wrong).isEqualTo(2);
      }
    }
  }

  @Test
  void masterAndAgentCanHaveAnUnderscoreInTheirNames() throws Exception {
    Path hosts =
        Files.writeString(
            directory.resolve("hosts"),
            "127.0.0.1 localhost\n127.0.0.1 mesos_agent\n127.0.0.1 mesos_master\n");
    try (TestCluster cluster = new TestCluster(directory.resolve("cluster"));
        TestMaster master = new TestMaster(cluster);
        ServerProcess server =
            new ServerProcess(
                Map.of("JAVA_TOOL_OPTIONS", "-Djdk.net.hosts.file=" + hosts),
                List.of(
                    "--state-dir",
                    directory.resolve("state").toString(),
                    "--master",
                    "mesos_master:" + master.port(),
                    "--share-limit",
                    "0,0"))) {
      master.agentHost("mesos_agent");
      server.call("initialize", "{}");
      server.call("task/submit", "{\"blocks\":[{\"id\":\"a\",\"body\":\"echo found\"}]}");
      JsonObject task = server.ended("a");
      assertThat(task.getAsJsonObject("result").get("stdout").getAsString()).isEqualTo("found\n");
      assertThat(task.getAsJsonObject("result").get("location").getAsString())
          .startsWith("http://mesos_agent:");
    }
  }
}

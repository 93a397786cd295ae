// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.obmesos.rpc.ServerProcess;

/** An agent that reads a FIFO reads no other file until a process writes into the FIFO. */
final class SpecialFileTest {
  @TempDir private Path directory;

  private static String task(String id, String body) {
    return "{\"blocks\":[{\"id\":\"" + id + "\",\"body\":\"" + body + "\",\"fetch\":[\"made\"]}]}";
  }

  private static List<String> files(ServerProcess server, String id) throws Exception {
    return server
        .call("task/files", "{\"id\":\"" + id + "\",\"path\":\"\"}")
        .getAsJsonObject("result")
        .getAsJsonArray("files")
        .asList()
        .stream()
        .map(JsonElement::getAsJsonObject)
        .map(file -> file.get("path").getAsString())
        .toList();
  }

  @Test
  void noFifoIsReadFromAnAgent() throws Exception {
    try (TestCluster cluster = new TestCluster(directory.resolve("cluster"));
        TestMaster master = new TestMaster(cluster);
        ServerProcess server =
            new ServerProcess(
                directory.resolve("state"), "--master", master.address(), "--share-limit", "0,0")) {
      server.call("initialize", "{}");
      server.call("task/submit", task("a", "mkfifo made; echo out"));
      JsonObject task = server.ended("a");
      assertThat(task.getAsJsonObject("result").get("stdout").getAsString()).isEqualTo("out\n");
      assertThat(files(server, "a")).contains("stdout").doesNotContain("made");
      assertThat(
              server
                  .call("task/read", "{\"id\":\"a\",\"path\":\"made\"}")
                  .getAsJsonObject("error")
                  .get("message")
                  .getAsString())
          .contains("made is not a regular file");
      assertThat(
              server
                  .call("task/read", "{\"id\":\"a\",\"path\":\".//made\",\"offset\":1}")
                  .toString())
          .contains("made is not a regular file");
      server.call("task/submit", task("b", "echo text > made"));
      server.ended("b");
      assertThat(files(server, "b")).contains("made");
      master.forbidAgentApi();
      assertThat(server.call("task/read", "{\"id\":\"b\",\"path\":\"made\"}").toString())
          .contains("dGV4dAo=");
    }
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.obmesos.rpc.ServerProcess;
import org.obmesos.util.PrivateFiles;

/** A task of the embedded cluster whose end cannot be written for some time. */
final class ExitFileTest {
  @TempDir private Path directory;

  private static Path onlyDirectory(Path state, String name) throws IOException {
    try (Stream<Path> all = Files.walk(state)) {
      return all.filter(path -> path.endsWith(name)).findFirst().orElseThrow();
    }
  }

  private static void start(ServerProcess server, String body) throws IOException {
    server.call("initialize", "{}");
    server.call(
        "task/submit", "{\"blocks\":[{\"id\":\"a\",\"body\":\"echo begun; %s\"}]}".formatted(body));
    server.output("a", "begun");
  }

  @Test
  void aTaskWhoseDirectoryIsDeletedEnds() throws IOException {
    Path state = directory.resolve("state");
    Path go = directory.resolve("go");
    try (ServerProcess server = new ServerProcess(state)) {
      start(server, "until test -e %s; do sleep 0.05; done".formatted(go));
      PrivateFiles.deleteRecursively(onlyDirectory(state, "meta/a"));
      Files.createFile(go);
      assertThat(server.ended("a").get("state").getAsString()).isEqualTo("FAILED");
    } finally {
      ServerProcess.endSupervisor(state);
    }
  }

  @Test
  void theEndIsReportedOnceItCanBeWritten() throws IOException {
    Path state = directory.resolve("state");
    Path go = directory.resolve("go");
    Path over = directory.resolve("over");
    try (ServerProcess server = new ServerProcess(state)) {
      start(server, "until test -e %s; do sleep 0.05; done; touch %s".formatted(go, over));
      // As a full disk does, this keeps the supervisor from writing the file.
      Path obstacle = Files.createDirectory(onlyDirectory(state, "meta/a").resolve("exit.new"));
      Files.createFile(go);
      await().until(() -> Files.exists(over));
      server.call("task/submit", "{\"blocks\":[{\"id\":\"b\",\"body\":\"echo other\"}]}");
      assertThat(server.ended("b").get("state").getAsString()).isEqualTo("FINISHED");
      assertThat(server.task("a").get("state").getAsString()).isEqualTo("RUNNING");
      Files.delete(obstacle);
      assertThat(server.ended("a").get("state").getAsString()).isEqualTo("FINISHED");
    } finally {
      ServerProcess.endSupervisor(state);
    }
  }
}

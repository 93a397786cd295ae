// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.obmesos.rpc.ServerProcess;

/** Container runtimes that do not start a container, on machines without one too. */
final class ContainerLaunchTest {
  @TempDir private Path directory;

  private JsonObject ended(String script) throws IOException {
    Path program = Files.createDirectories(directory.resolve("bin")).resolve("podman");
    Files.writeString(program, "#!/bin/sh\n" + script);
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    Path state = directory.resolve("state");
    try (ServerProcess server =
        new ServerProcess(
            Map.of("PATH", program.getParent() + ":" + System.getenv("PATH")),
            List.of("--state-dir", state.toString()))) {
      server.call("initialize", "{}");
      server.call(
          "task/submit",
          "{\"blocks\":[{\"id\":\"a\",\"body\":\"true\",\"container\":{\"image\":\"none\"}}]}");
      return server.ended("a");
    } finally {
      ServerProcess.endSupervisor(state);
    }
  }

  @Test
  void whatTheRuntimeWritesIsInTheMessage() throws IOException {
    // As podman 4.3.1 does.
    JsonObject task =
        ended(
            """
            echo 'Trying to pull none...' >&2
            echo 'Error: initializing source docker://none: connection refused' >&2
            exit 125
            """);
    assertThat(task.get("state").getAsString()).isEqualTo("FAILED");
    assertThat(task.get("message").getAsString())
        .isEqualTo(
            "Failed to launch container: Error: initializing source docker://none:"
                + " connection refused");
  }

  @Test
  void aProgramCanExitWithTheSameStatus() throws IOException {
    JsonObject task = ended("echo 'no line of the runtime' >&2; exit 125");
    assertThat(task.get("message").getAsString()).isEqualTo("Command exited with status 125");
  }
}

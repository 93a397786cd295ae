// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.obmesos.rpc.ServerProcess;

/** Processes that a task has started in process groups of their own end with the task. */
final class ProcessGroupTest {
  /** An argument of sleep(1) by which the processes are found: seconds with a unique fraction. */
  private final String seconds =
      "600." + Math.abs(UUID.randomUUID().getLeastSignificantBits() % 1_000_000_000);

  @TempDir private Path state;
  private ServerProcess server;

  @BeforeEach
  void start() throws IOException {
    server = new ServerProcess(state);
    server.call("initialize", "{}");
  }

  @AfterEach
  void stop() {
    server.close();
    ServerProcess.endSupervisor(state);
    sleeping().forEach(ProcessHandle::destroyForcibly);
  }

  private Stream<ProcessHandle> sleeping() {
    return ProcessHandle.allProcesses()
        .filter(
            process ->
                process
                    .info()
                    .commandLine()
                    .filter(line -> line.contains("sleep " + seconds))
                    .isPresent());
  }

  private void submit(String body, String more) throws IOException {
    server.call(
        "task/submit",
        "{\"blocks\":[{\"id\":\"a\",\"interpreter\":[\"bash\"],\"body\":\"%s\"%s}]}"
            .formatted(body.formatted(seconds), more));
    await().until(() -> sleeping().findAny().isPresent());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "timeout 3600 sleep %s",
        "set -m; sleep %s & wait",
        "setsid sleep %s & wait",
        "env -i setsid sleep %s & wait"
      })
  void aKillEndsThem(String body) throws IOException {
    submit(body, "");
    server.call("task/kill", "{\"ids\":[\"a\"]}");
    assertThat(server.ended("a").get("state").getAsString()).isEqualTo("KILLED");
    assertThat(sleeping()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sleep %s &",
        "timeout 3600 sleep %s &",
        "(setsid sh -c 'sleep %s; true' &) ;",
        "set -m; sleep %s &"
      })
  void theEndOfTheirBlockEndsThem(String body) throws IOException {
    Path go = state.resolve("go");
    submit(body + " while ! [ -e " + go + " ]; do sleep 0.05; done", "");
    Files.createFile(go);
    assertThat(server.ended("a").get("state").getAsString()).isEqualTo("FINISHED");
    await().untilAsserted(() -> assertThat(sleeping()).isEmpty());
  }

  /** Another task that ends meanwhile has seen it, too. */
  @Test
  void theEndOfAnotherBlockChangesNothing() throws IOException {
    Path go = state.resolve("go");
    submit("(setsid sleep %s &); while ! [ -e " + go + " ]; do sleep 0.05; done", "");
    server.call(
        "task/submit", "{\"blocks\":[{\"id\":\"b\",\"interpreter\":[\"sh\"],\"body\":\"true\"}]}");
    assertThat(server.ended("b").get("state").getAsString()).isEqualTo("FINISHED");
    assertThat(sleeping()).isNotEmpty();
    Files.createFile(go);
    assertThat(server.ended("a").get("state").getAsString()).isEqualTo("FINISHED");
    await().untilAsserted(() -> assertThat(sleeping()).isEmpty());
  }

  @Test
  void theDeadlineEndsThem() throws IOException {
    submit("timeout 3600 sleep %s", ",\"timeout\":1");
    assertThat(server.ended("a").get("state").getAsString()).isEqualTo("FAILED");
    assertThat(sleeping()).isEmpty();
  }
}

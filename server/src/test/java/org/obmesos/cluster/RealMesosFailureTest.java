// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.obmesos.rpc.ServerProcess;

/** A real agent of this machine, its executors and the server are killed while blocks run. */
@EnabledIfEnvironmentVariable(named = RealMesosTest.MASTER, matches = ".+")
final class RealMesosFailureTest {
  /** A master notices only after a while that an agent is away. */
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  @TempDir private Path directory;
  private ServerProcess server;

  @BeforeEach
  void start() throws IOException {
    server =
        new ServerProcess(
            directory.resolve("state"), "--master", System.getenv(RealMesosTest.MASTER));
    assertThat(server.call("initialize", "{}").has("result")).isTrue();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private static Stream<ProcessHandle> processes(String program) {
    return ProcessHandle.allProcesses()
        .filter(it -> it.info().command().filter(path -> path.endsWith("/" + program)).isPresent());
  }

  private static List<String> words(ProcessHandle process, String file) throws IOException {
    String text = Files.readString(Path.of("/proc", Long.toString(process.pid()), file));
    return List.of(text.split("\0"));
  }

  /** Kills the agent and starts it again as it was started. */
  private void restartAgent() throws IOException {
    ProcessHandle agent = processes("mesos-agent").findFirst().orElseThrow();
    ProcessBuilder again =
        new ProcessBuilder(words(agent, "cmdline"))
            .directory(Path.of("/proc", Long.toString(agent.pid()), "cwd").toRealPath().toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD);
    again.environment().clear();
    for (String variable : words(agent, "environ")) {
      int equals = variable.indexOf('=');
      again.environment().put(variable.substring(0, equals), variable.substring(equals + 1));
    }
    agent.destroyForcibly();
    await().until(() -> !agent.isAlive());
    again.start();
  }

  private static boolean isExecutor(ProcessHandle process) {
    try {
      return words(process, "environ").stream().anyMatch(it -> it.startsWith("MESOS_EXECUTOR_ID="));
    } catch (IOException e) {
      // It has ended by itself.
      return false;
    }
  }

  private static void killExecutors(String program) {
    processes(program)
        .filter(RealMesosFailureTest::isExecutor)
        .forEach(ProcessHandle::destroyForcibly);
  }

  @ParameterizedTest
  @CsvSource({"shared,perl", "own,mesos-executor"})
  void whateverDiesNoBlockIsLostAndNoneRunsTwice(String executor, String program)
      throws IOException {
    MarkedBlocks blocks =
        new MarkedBlocks(
            directory,
            () -> server,
            ",\"cpus\":0.2,\"mem\":32,\"executor\":\"%s\"".formatted(executor),
            PATIENCE);
    for (int round = 0; round < 4; round++) {
      blocks.awaitBegun(round * 30 + 10);
      switch (round) {
        case 0 -> killExecutors(program);
        case 1 -> restartAgent();
        case 2 -> {
          server.close();
          start();
        }
        default -> {
          restartAgent();
          killExecutors(program);
          server.close();
          start();
        }
      }
    }
    blocks.assertNoneLostAndNoneRepeated();
  }
}

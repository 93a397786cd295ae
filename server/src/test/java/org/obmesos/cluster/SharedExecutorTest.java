// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.obmesos.rpc.ServerProcess;

/** Blocks on shared executors: the real program, an agent that speaks its API, and its faults. */
final class SharedExecutorTest {
  @TempDir private Path directory;
  private TestCluster cluster;
  private TestExecutors executors;
  private TestMaster master;
  private ServerProcess server;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestCluster(directory.resolve("cluster"));
    executors = new TestExecutors(cluster);
    master = new TestMaster(executors);
    begin();
  }

  @AfterEach
  void stop() {
    server.close();
    master.close();
    executors.close();
    cluster.close();
  }

  private void begin() throws IOException {
    server = new ServerProcess(directory.resolve("state"), "--master", master.address());
    assertThat(server.call("initialize", "{}").has("result")).isTrue();
  }

  private void submit(String... blocks) throws IOException {
    server.call("task/submit", "{\"blocks\":[" + String.join(",", blocks) + "]}");
  }

  private static String block(String id, String body, String more) {
    return "{\"id\":\"%s\",\"body\":\"%s\"%s}".formatted(id, body, more);
  }

  private JsonObject task(String id) throws IOException {
    return server.task(id);
  }

  private JsonObject ended(String id) throws IOException {
    await().atMost(FrameworkTests.LONG).until(() -> task(id).get("terminal").getAsBoolean());
    return task(id);
  }

  private static String stdout(JsonObject task) {
    return task.getAsJsonObject("result").get("stdout").getAsString();
  }

  private void awaitState(String id, String state) {
    await()
        .atMost(FrameworkTests.LONG)
        .until(() -> task(id).get("state").getAsString().equals(state));
  }

  @Test
  void manyBlocksRunOnOneExecutor() throws Exception {
    submit(
        IntStream.range(0, 40)
            .mapToObj(n -> block("t" + n, "echo " + n + " ü; echo e >&2", ""))
            .toArray(String[]::new));
    for (int n = 0; n < 40; n++) {
      JsonObject task = ended("t" + n);
      assertThat(task.get("state").getAsString()).isEqualTo("FINISHED");
      assertThat(stdout(task)).isEqualTo(n + " ü\n");
      assertThat(task.getAsJsonObject("result").get("stderr").getAsString()).isEqualTo("e");
    }
    assertThat(executors.started()).isEqualTo(1);
  }

  @Test
  void aBlockHasItsDirectoryItsVariablesAndItsInterpreter() throws Exception {
    submit(
        block(
            "a",
            "pwd; echo $X $MESOS_TASK_ID; echo ${MESOS_EXECUTOR_AUTHENTICATION_TOKEN-none}"
                + " ${OB_MESOS_EXECUTOR-none}; [ $MESOS_SANDBOX/sub = $PWD ] && ls -A .. | sort | xargs",
            ",\"environment\":{\"X\":\"it's \\\"x\\\"\"},\"directory\":\"sub\""));
    String[] lines = stdout(ended("a")).split("\n", -1);
    assertThat(lines[0]).endsWith("/tasks/a/sub");
    assertThat(lines[1]).isEqualTo("it's \"x\" a");
    assertThat(lines[2]).isEqualTo("none none");
    assertThat(lines[3]).isEqualTo(".block stderr stdout sub");
    submit(block("b", "print $ENV{PWD}", ",\"interpreter\":[\"perl\"],\"directory\":\"sub\""));
    assertThat(stdout(ended("b"))).endsWith("/tasks/b/sub");
    for (String executor : List.of("shared", "own")) {
      String more = ",\"directory\":\"~/.\",\"executor\":\"%s\"".formatted(executor);
      submit(block(executor, "pwd -P", more));
      assertThat(stdout(ended(executor)).trim())
          .isEqualTo(Path.of(System.getenv("HOME")).toRealPath().toString());
    }
  }

  @Test
  void exitStatusSignalKillAndTimeoutAreTold() throws Exception {
    submit(
        block("status", "exit 3", ""),
        block("missing", "true", ",\"interpreter\":[\"no-such-program\"]"),
        block("signal", "kill -SEGV $$", ""),
        block("timeout", "sleep 1000", ",\"timeout\":0.2"),
        block("long", "trap 'echo bye; exit 0' TERM; while :; do sleep 0.05; done", ""),
        block("stubborn", "trap '' TERM; while :; do sleep 0.05; done", ",\"killGrace\":0.2"));
    assertThat(ended("status").get("exitStatus").getAsInt()).isEqualTo(3);
    assertThat(ended("missing").get("exitStatus").getAsInt()).isEqualTo(127);
    assertThat(ended("signal").get("signal").getAsString()).isEqualTo("Segmentation fault");
    JsonObject timeout = ended("timeout");
    assertThat(timeout.get("state").getAsString()).isEqualTo("FAILED");
    assertThat(timeout.get("reason").getAsString()).isEqualTo("REASON_MAX_COMPLETION_TIME_REACHED");
    awaitState("long", "RUNNING");
    awaitState("stubborn", "RUNNING");
    server.call("task/kill", "{\"ids\":[\"long\",\"stubborn\"]}");
    assertThat(ended("long").get("state").getAsString()).isEqualTo("KILLED");
    assertThat(stdout(ended("long"))).isEqualTo("bye\n");
    assertThat(ended("stubborn").get("signal").getAsString()).isEqualTo("Killed");
  }

  @Test
  void outputThatIsTooLargeForTheUpdateIsReadFromTheAgent() throws Exception {
    submit(block("a", "head -c 200000 /dev/zero | tr '\\\\0' x", ""));
    JsonObject task = ended("a");
    assertThat(stdout(task)).hasSize(200000);
  }

  @Test
  void aFifoInPlaceOfTheOutputHoldsUpNobody() throws Exception {
    submit(block("a", "rm stdout stderr && mkfifo stdout stderr", ""), block("b", "echo b", ""));
    assertThat(ended("a").get("state").getAsString()).isEqualTo("FINISHED");
    assertThat(stdout(ended("b"))).isEqualTo("b\n");
  }

  @Test
  void aBlockThatSaysOwnHasAnExecutorOfItsOwn() throws Exception {
    submit(
        block("own", "echo own", ",\"executor\":\"own\""), block("big", "echo big", ",\"cpus\":2"));
    assertThat(stdout(ended("own"))).isEqualTo("own\n");
    assertThat(stdout(ended("big"))).isEqualTo("big\n");
    assertThat(executors.started()).isZero();
    submit(block("shared", "echo shared", ",\"executor\":\"shared\",\"cpus\":2"));
    assertThat(stdout(ended("shared"))).isEqualTo("shared\n");
    assertThat(executors.started()).isEqualTo(1);
  }

  @Test
  void whatCannotShareIsRefusedByName() throws Exception {
    JsonObject answer =
        server.call(
            "task/submit",
            "{\"blocks\":["
                + block("a", "true", ",\"executor\":\"shared\",\"user\":\"nobody\"")
                + "]}");
    assertThat(answer.getAsJsonObject("error").get("message").getAsString()).contains("executor");
  }

  @Test
  void anAgentThatRestartsFindsItsExecutorAndNothingIsLost() throws Exception {
    submit(
        block(
            "before",
            "while [ ! -e %s/go ]; do sleep 0.02; done; echo on".formatted(directory),
            ""));
    awaitState("before", "RUNNING");
    executors.leave();
    Files.createFile(directory.resolve("go"));
    submit(block("meanwhile", "echo too", ""));
    executors.comeBack();
    assertThat(stdout(ended("before"))).isEqualTo("on\n");
    assertThat(stdout(ended("meanwhile"))).isEqualTo("too\n");
  }

  @Test
  void anExecutorThatIsKilledTellsOfItsTasksAndTheNextBlockGetsAnother() throws Exception {
    submit(block("a", "sleep 1000", ""));
    awaitState("a", "RUNNING");
    executors.killExecutors();
    JsonObject task = ended("a");
    assertThat(task.get("state").getAsString()).isEqualTo("FAILED");
    assertThat(task.get("reason").getAsString()).isEqualTo("REASON_EXECUTOR_TERMINATED");
    submit(block("b", "echo b", ""));
    assertThat(stdout(ended("b"))).isEqualTo("b\n");
    assertThat(executors.started()).isEqualTo(2);
  }

  /** The executor runs, but dies before it hears of a task. */
  @ParameterizedTest
  @ValueSource(strings = {"exit 1", "exec perl -e 'die'", "exec /nonexistent/perl"})
  void whereItCannotRunTheBlocksGetExecutorsOfTheirOwn(String command) throws Exception {
    executors.replaceCommand(command);
    submit(block("a", "echo a", ""), block("b", "echo b", ""));
    assertThat(stdout(ended("a"))).isEqualTo("a\n");
    assertThat(stdout(ended("b"))).isEqualTo("b\n");
    int started = executors.started();
    submit(block("c", "echo c", ""));
    assertThat(stdout(ended("c"))).isEqualTo("c\n");
    assertThat(executors.started()).isEqualTo(started);
    assertThat(server.log()).contains("the shared executor cannot run on agent");
  }

  @Test
  void anAgentIsReachedByItsDomainSocketWhereItHasOne() throws Exception {
    Path socket = directory.resolve("agent.sock");
    try (TestDomainSocket agent = new TestDomainSocket(socket, executors.port())) {
      executors.environment("MESOS_DOMAIN_SOCKET", socket.toString());
      executors.environment("MESOS_AGENT_ENDPOINT", "127.0.0.1:1");
      executors.environment("LIBPROCESS_SSL_ENABLED", "true");
      submit(block("a", "echo a", ""), block("b", "sleep 1000", ""));
      assertThat(stdout(ended("a"))).isEqualTo("a\n");
      awaitState("b", "RUNNING");
      server.call("task/kill", "{\"ids\":[\"b\"]}");
      assertThat(ended("b").get("state").getAsString()).isEqualTo("KILLED");
      assertThat(executors.started()).isEqualTo(1);
      assertThat(agent.connections()).isPositive();
    }
  }

  /** Perl alone speaks no TLS. */
  @Test
  void whereTheAgentWantsTlsTheBlocksGetExecutorsOfTheirOwn() throws Exception {
    executors.environment("LIBPROCESS_SSL_ENABLED", "true");
    submit(block("a", "echo a", ""));
    assertThat(stdout(ended("a"))).isEqualTo("a\n");
    assertThat(server.log()).contains("the shared executor cannot run on agent");
  }

  @Test
  void aServerThatIsKilledFindsItsTasksAgain() throws Exception {
    submit(
        block("a", "while [ ! -e %s/go ]; do sleep 0.02; done; echo on".formatted(directory), ""));
    awaitState("a", "RUNNING");
    server.close();
    Files.createFile(directory.resolve("go"));
    begin();
    assertThat(stdout(ended("a"))).isEqualTo("on\n");
  }

  @Test
  void aTaskIsEndedWithItsExecutorWhenTheAgentWantsThat() throws Exception {
    submit(
        block(
            "a",
            "trap 'echo bye > %s/bye; exit 0' TERM; while :; do sleep 0.02; done"
                .formatted(directory),
            ""));
    awaitState("a", "RUNNING");
    executors.shutDown();
    assertThat(ended("a").get("state").getAsString()).isEqualTo("KILLED");
    assertThat(directory.resolve("bye")).hasContent("bye");
    await().atMost(FrameworkTests.LONG).until(() -> executors.running() == 0);
  }

  @Test
  void anExecutorWhoseAgentDoesNotComeBackEndsItsTasksAndItself() throws Exception {
    executors.recoveryTimeout("1secs");
    submit(block("a", "echo $$ > %s/pid; exec sleep 1000".formatted(directory), ""));
    awaitState("a", "RUNNING");
    Path written = directory.resolve("pid");
    await().until(() -> Files.exists(written) && !Files.readString(written).isBlank());
    long pid = Long.parseLong(Files.readString(written).trim());
    executors.leave();
    await().atMost(FrameworkTests.LONG).until(() -> executors.running() == 0);
    await().until(() -> ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty());
  }

  /** Two hundred blocks while executors, the agent and the server die; each leaves a mark. */
  @Test
  void whateverDiesNoBlockIsLostAndNoneRunsTwiceWithoutSayingSo() throws Exception {
    MarkedBlocks blocks = new MarkedBlocks(directory, () -> server, "", FrameworkTests.LONG);
    for (int round = 0; round < 4; round++) {
      blocks.awaitBegun(round * 20 + 10);
      switch (round) {
        case 0 -> executors.killExecutors();
        case 1 -> {
          executors.leave();
          executors.killExecutors();
          executors.comeBack();
        }
        case 2 -> {
          server.close();
          begin();
        }
        default -> {
          executors.leave();
          executors.comeBack();
        }
      }
    }
    blocks.assertNoneLostAndNoneRepeated();
  }
}

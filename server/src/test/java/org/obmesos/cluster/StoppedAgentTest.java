// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.obmesos.task.Block;
import org.obmesos.task.Constraint;
import org.obmesos.task.Requirements;
import org.obmesos.task.Resources;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskState;

/** One of two agents is stopped with SIGSTOP while tasks run on it. */
final class StoppedAgentTest extends FrameworkTests {
  private static final int TASKS = 20;

  private Process agent;

  @BeforeEach
  void startAgent() throws Exception {
    agent =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                TestAgentMain.class.getName(),
                cluster.directory().toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    master.addAgent("localhost:" + agent.inputReader().readLine());
  }

  @AfterEach
  void endAgent() throws Exception {
    signal("CONT");
    agent.destroyForcibly().waitFor();
  }

  private void signal(String name) throws Exception {
    assertThat(new ProcessBuilder("kill", "-" + name, "" + agent.pid()).start().waitFor()).isZero();
  }

  private Block on(String hostname, Constraint.Operator operator, String id, String body) {
    return TestBlocks.needing(
        TestBlocks.of(id, body),
        new Requirements(
            new Resources(0.1, 16, 0),
            List.of(),
            List.of(),
            "",
            List.of(new Constraint("hostname", operator, hostname))));
  }

  private TaskState state(String id) {
    return framework.get(List.of(new TaskId(id))).join().get(0).state();
  }

  private void awaitTail(TaskId id, String unlike) {
    await().atMost(LONG).until(() -> !unlike.equals(listener.tails.getOrDefault(id, unlike)));
  }

  @Test
  void onlyTheOutputsOfItsOwnTasksAreDelayed() throws Exception {
    connect(master.address());
    List<Block> blocks = new ArrayList<>();
    for (int n = 0; n < TASKS; n++) {
      String go = directory.resolve("go-" + n).toString();
      blocks.add(
          on(
              SplitOffers.SECOND,
              Constraint.Operator.IS,
              "stopped-" + n,
              "echo begin; until test -e " + go + "; do sleep 0.05; done; echo end " + n));
    }
    submit(blocks);
    await().atMost(LONG).until(() -> all(TaskState.RUNNING));
    TaskId streaming = new TaskId("streaming");
    submit(
        List.of(
            on(
                SplitOffers.SECOND,
                Constraint.Operator.UNLIKE,
                streaming.value(),
                "n=0; while :; do n=$((n+1)); echo line $n; sleep 0.05; done")));
    awaitTail(streaming, "");
    signal("STOP");
    Files.createFile(directory.resolve("go-0"));
    String tail = listener.tails.get(streaming);
    long slowest = 0;
    for (int round = 0; round < 20; round++) {
      slowest = Math.max(slowest, answerTime());
      awaitTail(streaming, tail);
      tail = listener.tails.get(streaming);
    }
    System.out.println("slowest answer with a stopped agent: " + slowest + " ms");
    assertThat(state("stopped-0")).isEqualTo(TaskState.RUNNING);
    signal("CONT");
    for (int n = 1; n < TASKS; n++) {
      Files.createFile(directory.resolve("go-" + n));
    }
    await().atMost(LONG).until(() -> all(TaskState.FINISHED));
    for (int n = 0; n < TASKS; n++) {
      TaskId id = new TaskId("stopped-" + n);
      assertThat(framework.result(id).join().orElseThrow().stdout())
          .isEqualTo("begin\nend " + n + "\n");
      assertThat(listener.results.get(id).stdout()).isEqualTo("begin\nend " + n + "\n");
    }
    framework.kill(List.of(streaming)).join();
    await().atMost(LONG).until(() -> state(streaming.value()) == TaskState.KILLED);
  }

  private boolean all(TaskState state) {
    return framework
        .get(
            java.util.stream.IntStream.range(0, TASKS)
                .mapToObj(n -> new TaskId("stopped-" + n))
                .toList())
        .join()
        .stream()
        .map(Task::state)
        .allMatch(state::equals);
  }

  /** Returns how long the slowest request took, in milliseconds. None may wait for the agent. */
  private long answerTime() throws Exception {
    TaskId ended = new TaskId("stopped-0");
    List<CompletableFuture<?>> requests =
        List.of(
            framework.list(),
            framework.get(List.of(ended)),
            framework.result(ended),
            framework.kill(List.of(new TaskId("nobody"))),
            framework.submit(
                List.of(on("nowhere", Constraint.Operator.IS, "waits", "true")), Map.of()),
            framework.offers(),
            framework.countByState(),
            framework
                .agents()
                .thenCompose(
                    agents ->
                        CompletableFuture.allOf(
                            agents.stream()
                                .map(framework::metrics)
                                .toArray(CompletableFuture<?>[]::new))));
    long begin = System.nanoTime();
    CompletableFuture.allOf(requests.toArray(new CompletableFuture<?>[0])).get(2, TimeUnit.SECONDS);
    return Duration.ofNanos(System.nanoTime() - begin).toMillis();
  }
}

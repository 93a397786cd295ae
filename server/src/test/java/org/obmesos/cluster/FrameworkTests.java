// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.obmesos.driver.HttpMesos;
import org.obmesos.driver.MasterAddress;
import org.obmesos.driver.MesosHttpClient;
import org.obmesos.sandbox.AgentSandboxes;
import org.obmesos.scheduler.Framework;
import org.obmesos.scheduler.FrameworkOptions;
import org.obmesos.scheduler.Retention;
import org.obmesos.store.Store;
import org.obmesos.task.Block;
import org.obmesos.task.Constraint;
import org.obmesos.task.Requirements;
import org.obmesos.task.Resources;
import org.obmesos.task.Retry;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskState;

/** The whole framework, on a {@link TestMaster}. */
abstract class FrameworkTests {
  static final Duration LONG = Duration.ofSeconds(40);

  @TempDir Path directory;
  TestCluster cluster;
  TestMaster master;
  Store store;
  Framework framework;
  Duration storeFailureLimit = Duration.ofMinutes(5);
  Duration agentReregistration = FrameworkOptions.AGENT_REREGISTRATION;
  final RecordingListener listener = new RecordingListener();
  final List<String> troubles = listener.troubles;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestCluster(directory.resolve("cluster"));
    master = new TestMaster(cluster);
    store = new Store(directory.resolve("store.db"));
  }

  @AfterEach
  void stop() {
    framework.close();
    store.close();
    master.close();
    cluster.close();
  }

  void connect(String address) throws Exception {
    connect(
        address,
        MesosHttpClient.of(Optional.empty(), MesosHttpClient.Trust.SYSTEM),
        Optional.empty());
  }

  void connect(String address, MesosHttpClient http, Optional<String> principal) {
    connect(address, http, principal, Map.of());
  }

  void connect(
      String address,
      MesosHttpClient http,
      Optional<String> principal,
      Map<String, String> agents) {
    framework =
        new Framework(
            store,
            new AgentSandboxes(http, agents),
            options(principal),
            listener,
            scheduler ->
                HttpMesos.of(
                    scheduler,
                    MasterAddress.parse(address),
                    http,
                    why -> listener.cluster(false, why)));
  }

  FrameworkOptions options(Optional<String> principal) {
    return new FrameworkOptions(
        "test",
        Duration.ofDays(7),
        principal,
        1 << 20,
        Optional.empty(),
        Retention.DEFAULT,
        Resources.NONE,
        storeFailureLimit,
        agentReregistration);
  }

  Block block(String id, String body) {
    return TestBlocks.of(id, body);
  }

  /** Each block notes that it runs, so that a second run would show. */
  List<Block> blocks(int count, String body) {
    return IntStream.range(0, count)
        .mapToObj(
            n ->
                block(
                    "task-" + n,
                    "echo x >> " + directory + "/ran-" + n + "; " + body + "; echo result " + n))
        .toList();
  }

  void submit(List<Block> blocks) {
    framework.submit(blocks, Map.of()).join();
  }

  void verdict(int count) throws Exception {
    await()
        .atMost(LONG)
        .until(() -> framework.list().join().stream().allMatch(task -> task.state().isTerminal()));
    assertThat(framework.list().join())
        .hasSize(count)
        .allSatisfy(task -> assertThat(task.state()).isEqualTo(TaskState.FINISHED));
    for (int n = 0; n < count; n++) {
      assertThat(framework.result(new TaskId("task-" + n)).join().orElseThrow().stdout())
          .isEqualTo("result " + n + "\n");
      assertThat(directory.resolve("ran-" + n)).hasContent("x\n");
    }
  }

  void awaitRunning() {
    await()
        .atMost(LONG)
        .until(
            () ->
                framework.list().join().stream()
                    .anyMatch(task -> task.state() == TaskState.RUNNING));
  }

  void saidWithinFiveSeconds(String words) {
    await()
        .atMost(Duration.ofSeconds(5))
        .until(() -> troubles.stream().anyMatch(why -> why.contains(words)));
  }

  Task task(String id) {
    return framework.get(List.of(new TaskId(id))).join().get(0);
  }

  void awaitState(String id, TaskState state) {
    await().atMost(LONG).until(() -> task(id).state() == state);
  }

  void awaitMessage(String id, Predicate<String> matches) {
    await().atMost(LONG).until(() -> matches.test(task(id).status().message()));
  }

  Block asking(String id, String body, Resources resources, int attempts) {
    return TestBlocks.retrying(
        TestBlocks.needing(TestBlocks.of(id, body), new Requirements(resources)),
        new Retry(attempts, Duration.ofSeconds(1), Retry.Ensure.NOTHING));
  }

  Block blockFor(String agent, String id) {
    return TestBlocks.needing(
        block(id, "true"),
        new Requirements(
            new Resources(0.1, 16, 0),
            List.of(),
            List.of(),
            "",
            List.of(new Constraint("hostname", Constraint.Operator.IS, agent))));
  }
}

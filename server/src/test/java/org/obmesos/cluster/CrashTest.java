// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.obmesos.rpc.ServerProcess;

/**
 * The server is killed with SIGKILL between each two steps of a launch, by the master that sees it
 * take them. The next server is asked for the same tasks, as a client does; none is lost, none runs
 * twice, every result is right.
 */
final class CrashTest {
  private static final int ROUNDS = 3;
  private static final int TASKS = 5;

  /** Where in the life of the calls the server dies. */
  private enum Step {
    BEFORE_IT_SUBSCRIBES(Call.Type.SUBSCRIBE, false),
    AS_IT_SUBSCRIBES(Call.Type.SUBSCRIBE, true),
    STORED_AND_ASKS_FOR_OFFERS(Call.Type.REVIVE, false),
    BEFORE_THE_LAUNCH(Call.Type.ACCEPT, false),
    AFTER_THE_LAUNCH(Call.Type.ACCEPT, true),
    BEFORE_AN_ACKNOWLEDGEMENT(Call.Type.ACKNOWLEDGE, false),
    AFTER_AN_ACKNOWLEDGEMENT(Call.Type.ACKNOWLEDGE, true);

    private final Call.Type type;
    private final boolean done;

    Step(Call.Type type, boolean done) {
      this.type = type;
      this.done = done;
    }
  }

  @TempDir private Path directory;
  private TestCluster cluster;
  private TestExecutors executors;
  private TestMaster master;
  private volatile ServerProcess server;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestCluster(directory.resolve("cluster"));
    executors = new TestExecutors(cluster);
    master = new TestMaster(executors);
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
  }

  private void initialize() throws IOException {
    assertThat(server.call("initialize", "{}").has("result")).isTrue();
  }

  private String blocks(int round) {
    return IntStream.range(0, TASKS)
        .mapToObj(
            n ->
                """
                {"id":"%1$d-%2$d","body":"echo x >> %3$s/ran-%1$d-%2$d; echo %1$d-%2$d",\
                "cpus":0.1,"mem":16}"""
                    .formatted(round, n, directory))
        .collect(Collectors.joining(",", "{\"blocks\":[", "]}"));
  }

  @ParameterizedTest
  @EnumSource
  void aServerKilledBetweenTwoStepsLosesNothing(Step step) throws IOException {
    for (int round = 0; round < ROUNDS; round++) {
      if (step.type == Call.Type.SUBSCRIBE) {
        // Nothing keeps a server from that until it is asked for something.
        master.at(step.type, step.done, () -> server.close());
        begin();
      } else {
        begin();
        initialize();
        master.at(step.type, step.done, () -> server.close());
        server.request("task/submit", blocks(round));
      }
      await().atMost(FrameworkTests.LONG).until(() -> !server.process().isAlive());
      begin();
      initialize();
      server.call("task/submit", blocks(round));
      verdict(round);
      server.end();
    }
  }

  /** A lock on the database makes sure that the commit has not happened. */
  @ParameterizedTest
  @EnumSource(names = {"AS_IT_SUBSCRIBES", "STORED_AND_ASKS_FOR_OFFERS", "AFTER_THE_LAUNCH"})
  void aServerKilledBeforeACommitLosesNothing(Step step) throws Exception {
    begin();
    initialize();
    AtomicReference<Connection> lock = new AtomicReference<>();
    CountDownLatch killed = new CountDownLatch(1);
    master.at(
        step.type,
        true,
        () -> {
          lock.set(locked());
          server.close();
          killed.countDown();
        });
    if (step.type == Call.Type.SUBSCRIBE) {
      server.close();
      begin();
    } else {
      server.request("task/submit", blocks(0));
    }
    assertThat(killed.await(40, TimeUnit.SECONDS)).isTrue();
    lock.get().close();
    begin();
    initialize();
    server.call("task/submit", blocks(0));
    verdict(0);
    server.end();
  }

  /** The driver of SQLite unpacks its library, which a process that is killed cannot delete. */
  @Test
  void aServerThatIsKilledLeavesNoFilesBehindForEver(@TempDir Path temporary, @TempDir Path state)
      throws Exception {
    for (int n = 0; n < 3; n++) {
      server =
          new ServerProcess(
              Map.of("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + temporary),
              List.of("--state-dir", state.toString()));
      assertThat(server.call("initialize", "{}").has("result")).isTrue();
      assertThat(server.call("task/list", "{}").has("result")).isTrue();
      server.close();
    }
    try (var left = Files.list(temporary)) {
      assertThat(left.filter(file -> file.toString().contains("sqlite"))).isEmpty();
    }
    try (var left = Files.walk(state)) {
      assertThat(left.filter(file -> file.toString().endsWith(".so"))).hasSize(1);
    }
  }

  @Test
  void aServerKilledBeforeASubmissionIsCommittedLosesNothing() throws Exception {
    begin();
    initialize();
    // It is answered once the store is open; the server is initialized before.
    assertThat(server.call("task/list", "{}").has("result")).isTrue();
    try (Connection lock = locked()) {
      server.request("task/submit", blocks(0));
      // It is answered after the submission was read, and does not wait for the store.
      assertThat(server.call("offer/list", "{}").has("result")).isTrue();
      server.close();
      lock.rollback();
    }
    begin();
    initialize();
    assertThat(server.call("task/list", "{}").getAsJsonObject("result").getAsJsonArray("tasks"))
        .isEmpty();
    server.call("task/submit", blocks(0));
    verdict(0);
    server.end();
  }

  /** Locks the database of the server against writes. */
  private Connection locked() {
    try (Stream<Path> files = Files.walk(directory.resolve("state"))) {
      Path file = files.filter(each -> each.endsWith("store.db")).findFirst().orElseThrow();
      Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
      try (Statement statement = connection.createStatement()) {
        statement.execute("PRAGMA busy_timeout = 10000");
        connection.setAutoCommit(false);
        statement.execute("UPDATE meta SET value = value");
      }
      return connection;
    } catch (IOException | SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private void verdict(int round) throws IOException {
    await().atMost(FrameworkTests.LONG).until(() -> tasks(round).allMatch(CrashTest::isOver));
    assertThat(tasks(round)).hasSize(TASKS);
    for (JsonObject task : tasks(round).toList()) {
      String id = task.get("id").getAsString();
      assertThat(task.get("state").getAsString()).isEqualTo("FINISHED");
      assertThat(task.getAsJsonObject("result").get("stdout").getAsString()).isEqualTo(id + "\n");
      assertThat(directory.resolve("ran-" + id)).hasContent("x\n");
    }
  }

  private static boolean isOver(JsonObject task) {
    return task.get("terminal").getAsBoolean();
  }

  private Stream<JsonObject> tasks(int round) throws IOException {
    String ids =
        IntStream.range(0, TASKS)
            .mapToObj(n -> "\"%d-%d\"".formatted(round, n))
            .collect(Collectors.joining(",", "{\"ids\":[", "]}"));
    return StreamSupport.stream(
            server
                .call("task/get", ids)
                .getAsJsonObject("result")
                .getAsJsonArray("tasks")
                .spliterator(),
            false)
        .map(JsonElement::getAsJsonObject);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.obmesos.task.Block;
import org.obmesos.task.Constraint;
import org.obmesos.task.Container;
import org.obmesos.task.ExecutionEnvironment;
import org.obmesos.task.ExecutorKind;
import org.obmesos.task.Health;
import org.obmesos.task.Image;
import org.obmesos.task.LaunchState;
import org.obmesos.task.Network;
import org.obmesos.task.Origin;
import org.obmesos.task.Program;
import org.obmesos.task.Requirements;
import org.obmesos.task.Resources;
import org.obmesos.task.Retry;
import org.obmesos.task.RunPolicy;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskLocation;
import org.obmesos.task.TaskResult;
import org.obmesos.task.TaskState;
import org.obmesos.task.TaskStatus;
import org.obmesos.task.Uri;

final class StoreTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

  @TempDir private Path directory;

  private Path file() {
    return directory.resolve("store.db");
  }

  private static Task task(long sequence) {
    return task(
        sequence, ExecutionEnvironment.NONE, new Requirements(new Resources(0.5, 64, 1, 2)), "");
  }

  private static Task task(
      long sequence, ExecutionEnvironment around, Requirements needs, String group) {
    return Task.submitted(
        sequence,
        new Block(
            new TaskId("task-" + sequence),
            new Origin("name", "/doc.org", group, ""),
            new Program(
                List.of("sh", "-x"),
                "echo 'ü'\n",
                Map.of("A", "1\n2\u001f3\u001ef"),
                "dir",
                around),
            needs,
            limits(3, 4)),
        NOON);
  }

  private static RunPolicy limits(int tailLines, int attempts) {
    return new RunPolicy(
        5,
        Duration.ofSeconds(7),
        Duration.ofMinutes(1),
        tailLines,
        new Retry(attempts, Retry.NONE.backoff(), Retry.Ensure.NOTHING),
        ExecutorKind.OWN);
  }

  @Test
  void whatFewBlocksAskForIsThereAfterTheNextStart() {
    ExecutionEnvironment around =
        new ExecutionEnvironment(
            Optional.of(
                new Container(
                    new Image("redis:7", Image.Containerizer.DOCKER, true, true),
                    new Network("bridge", List.of(new Network.Exposed(0, 6379))),
                    List.of(new Container.Volume("/data", "/data", true)),
                    true)),
            List.of(new Uri("file:///x.tgz", true, false, true, "y.tgz")),
            "nobody",
            Optional.of(new Health(Health.Kind.HTTP, "/ok", "web")),
            Set.of("TOKEN"));
    Requirements needs =
        new Requirements(
            new Resources(1, 32, 0),
            List.of(new TaskId("before")),
            List.of("web", "0"),
            "prod",
            List.of(Constraint.of("rack", "like", "a.*"), Constraint.of("hostname", "UNIQUE", "")));
    Task asked = task(1, around, needs, "group");
    Task placed =
        asked.with(
            LaunchState.NONE.at(
                new TaskLocation("framework", "agent", "host", "", List.of(31000, 31005), "")));
    try (Store store = new Store(file())) {
      store.commit(Changes.insert(List.of(asked))).join();
      store.commit(Changes.update(placed)).join();
    }
    try (Store store = new Store(file())) {
      assertThat(store.tasks().join()).containsExactly(placed);
    }
  }

  @Test
  void whatWasStoredIsThereAfterTheNextStart() {
    try (Store store = new Store(file())) {
      store.commit(Changes.insert(List.of(task(1), task(2)))).join();
      store.commit(frameworkId("framework")).join();
    }
    try (Store store = new Store(file())) {
      assertThat(store.tasks().join()).containsExactly(task(1), task(2));
      assertThat(store.frameworkId().join()).contains("framework");
    }
  }

  @Test
  void anEndedTaskComesWithItsResultAndWithoutItsBody() {
    Task ended = task(1).with(TaskStatus.of(TaskState.FINISHED, "done"), NOON.plusSeconds(1));
    TaskResult result = new TaskResult("out", 3, false, "err");
    try (Store store = new Store(file())) {
      store.commit(Changes.insert(List.of(task(1)))).join();
      store.commit(Changes.end(ended, result)).join();
    }
    try (Store store = new Store(file())) {
      assertThat(store.tasks().join()).containsExactly(ended.withoutBody());
      assertThat(store.result(ended.id()).join()).contains(result);
    }
  }

  private static Changes frameworkId(String id) {
    return only(List.of(), Optional.of(id), Map.of());
  }

  private static Changes only(
      List<TaskId> deleted, Optional<String> frameworkId, Map<String, byte[]> executors) {
    return new Changes(List.of(), List.of(), List.of(), Map.of(), deleted, frameworkId, executors);
  }

  @Test
  void aThousandTasksKeepTheirOrder() {
    List<Task> many = IntStream.rangeClosed(1, 1000).mapToObj(StoreTest::task).toList();
    try (Store store = new Store(file())) {
      store.commit(Changes.insert(many)).join();
      assertThat(store.tasks().join()).isEqualTo(many);
    }
  }

  /** Makes the file one of an earlier server, by statements. */
  private void change(String... statements) throws SQLException {
    try (Connection old = DriverManager.getConnection("jdbc:sqlite:" + file());
        Statement statement = old.createStatement()) {
      for (String each : statements) {
        statement.execute(each);
      }
    }
  }

  @Test
  void documentsAreKeptUntilTheyAreDiscarded() {
    StoredDocument document = new StoredDocument("abc", NOON, "* text", false);
    try (Store store = new Store(file())) {
      store.addDocument(document).join();
      store.addDocument(new StoredDocument("other", NOON.plusSeconds(1), "", false)).join();
      store.markSubmitted("other").join();
    }
    try (Store store = new Store(file())) {
      assertThat(store.documentIds().join()).containsExactly("abc", "other");
      assertThat(store.document("other").join())
          .contains(new StoredDocument("other", NOON.plusSeconds(1), "", true));
      assertThat(store.document("abc").join()).contains(document);
      store.deleteDocument("abc").join();
      assertThat(store.document("abc").join()).isEmpty();
    }
  }

  @Test
  void onlyWhatFailsIsNotStored() {
    try (Store store = new Store(file())) {
      store.commit(Changes.insert(List.of(task(1)))).join();
      CompletableFuture<Void> good = store.commit(Changes.insert(List.of(task(2))));
      CompletableFuture<Void> bad = store.commit(Changes.insert(List.of(task(3), task(1))));
      CompletableFuture<Void> alsoGood = store.commit(Changes.insert(List.of(task(4))));
      good.join();
      alsoGood.join();
      assertThatThrownBy(bad::join).hasCauseInstanceOf(StoreException.class);
      assertThat(store.tasks().join()).containsExactly(task(1), task(2), task(4));
    }
  }

  /** As SQLite does when the disk is full (its documentation of SQLITE_FULL). */
  @Test
  void aTransactionThatSqliteHasRolledBackLeavesTheStoreUsable() throws Exception {
    try (Store store = new Store(file())) {
      store.commit(Changes.insert(List.of(task(1)))).join();
      try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + file());
          Statement statement = other.createStatement()) {
        statement.execute(
            "CREATE TRIGGER full BEFORE INSERT ON tasks WHEN NEW.id = 'task-2'"
                + " BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END");
      }
      for (long next = 3; next <= 5; next++) {
        assertThatThrownBy(() -> store.commit(Changes.insert(List.of(task(2)))).join())
            .hasMessageContaining("disk is full");
        store.commit(Changes.insert(List.of(task(next)))).join();
      }
      assertThat(store.tasks().join()).containsExactly(task(1), task(3), task(4), task(5));
    }
  }

  @Test
  void aDatabaseThatIsLockedFailsAndWorksAgainAfterwards() throws Exception {
    try (Store store = new Store(file(), 50)) {
      store.commit(Changes.insert(List.of(task(1)))).join();
      try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + file());
          Statement statement = other.createStatement()) {
        statement.execute("BEGIN IMMEDIATE");
        assertThatThrownBy(() -> store.commit(Changes.insert(List.of(task(2)))).join())
            .hasMessageContaining("SQLITE_BUSY");
        statement.execute("ROLLBACK");
      }
      store.commit(Changes.insert(List.of(task(2)))).join();
      assertThat(store.tasks().join()).containsExactly(task(1), task(2));
    }
  }

  @Test
  void endedTasksAreSummarizedCountedAndDeletedWithTheirResults() {
    Task ended = task(1).with(TaskStatus.of(TaskState.FAILED, "why"), NOON.plusSeconds(1));
    try (Store store = new Store(file())) {
      store.commit(Changes.insert(List.of(task(1), task(2)))).join();
      store.commit(Changes.end(ended, new TaskResult("out", 3, false, ""))).join();
      assertThat(store.endedTasks().join()).containsExactly(EndedTask.of(ended));
      assertThat(store.liveTasks().join()).containsExactly(task(2));
      assertThat(store.countByState().join())
          .containsEntry(TaskState.FAILED, 1L)
          .containsEntry(TaskState.QUEUED, 1L)
          .containsEntry(TaskState.RUNNING, 0L);
      store.commit(only(List.of(ended.id()), Optional.empty(), Map.of())).join();
      assertThat(store.tasks().join()).containsExactly(task(2));
      assertThat(store.result(ended.id()).join()).isEmpty();
    }
  }

  @Test
  void theDescriptionsOfExecutorsAreThereForTheNextServer() {
    try (Store store = new Store(file())) {
      Map<String, byte[]> executors = Map.of("a", new byte[] {1, 0, -1}, "b", new byte[] {2});
      store.commit(only(List.of(), Optional.empty(), executors)).join();
    }
    try (Store store = new Store(file())) {
      assertThat(store.executors().join()).containsOnlyKeys("a", "b");
      assertThat(store.executors().join().get("a")).containsExactly(1, 0, -1);
      store.retainExecutors(Set.of("a", "c")).join();
      assertThat(store.executors().join()).containsOnlyKeys("a");
    }
  }

  /** The component names of the domain records are the format of the file. */
  @Test
  void theFormatOfTheFileIsThatOfVersionTwo() throws Exception {
    try (Store store = new Store(file())) {
      store.commit(Changes.insert(List.of(task(1)))).join();
    }
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file());
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT block, launch, (SELECT * FROM pragma_user_version) FROM tasks")) {
      assertThat(row.getInt(3)).isEqualTo(2);
      assertThat(row.getString(2))
          .isEqualTo(
              "{\"attempt\":0,\"runs\":0,\"notStarted\":0,\"location\":{\"frameworkId\":\"\",\"agentId\":\"\","
                  + "\"hostname\":\"\",\"agentUrl\":\"\",\"ports\":[],"
                  + "\"executorId\":\"\"},\"killRequested\":false,"
                  + "\"usage\":{\"wallSeconds\":null,\"cpuSeconds\":null,\"peakKiB\":null},"
                  + "\"key\":null,\"reused\":null}");
      JsonObject block = JsonParser.parseString(row.getString(1)).getAsJsonObject();
      assertThat(block.keySet())
          .containsExactly("id", "origin", "program", "requirements", "runPolicy", "reuse");
      assertThat(block.getAsJsonObject("program").keySet())
          .containsExactly(
              "interpreter", "body", "environment", "directory", "executionEnvironment");
      assertThat(block.getAsJsonObject("requirements").keySet())
          .containsExactly("resources", "after", "ports", "role", "constraints");
      assertThat(block.getAsJsonObject("runPolicy").keySet())
          .containsExactly(
              "priority", "killGrace", "timeout", "tailLines", "retry", "executor", "limit");
    }
  }

  @Test
  void aLaunchWithoutTheLaterComponentsIsRead() throws Exception {
    try (Store store = new Store(file())) {
      store.commit(Changes.insert(List.of(task(1)))).join();
    }
    change(
        "UPDATE tasks SET launch = '{\"attempt\":0,\"runs\":0,\"notStarted\":0,"
            + "\"location\":{\"frameworkId\":\"\",\"agentId\":\"\",\"hostname\":\"\","
            + "\"agentUrl\":\"\",\"ports\":[]},\"killRequested\":false}'");
    try (Store store = new Store(file())) {
      assertThat(store.tasks().join()).containsExactly(task(1));
    }
  }

  @Test
  void aStoreOfALaterVersionIsRefused() throws Exception {
    try (Store store = new Store(file())) {
      store.tasks().join();
    }
    change("PRAGMA user_version = 99");
    try (Store store = new Store(file())) {
      assertThatThrownBy(() -> store.tasks().join()).hasMessageContaining("please update");
    }
  }

  /** Makes a database of the last version without a number. */
  private void legacy(String... statements) throws Exception {
    try (InputStream dump = StoreTest.class.getResourceAsStream("legacy.sql")) {
      String sql = new String(dump.readAllBytes(), StandardCharsets.UTF_8);
      change(sql.split(";\n", -1));
    }
    change(statements);
  }

  @Test
  void aStoreOfAnEarlierVersionIsMigrated() throws Exception {
    legacy();
    try (Store store = new Store(file())) {
      List<Task> tasks = store.tasks().join();
      assertThat(tasks).extracting(task -> task.id().value()).containsExactly("a-1", "b-2", "c-3");
      Block block = tasks.get(0).block();
      assertThat(block.program().interpreter()).containsExactly("sh", "-x");
      assertThat(block.program().body()).isEqualTo("echo 'ü'");
      assertThat(block.program().environment()).isEqualTo(Map.of("A", "1\n2\u001f3\u001ef"));
      assertThat(block.requirements().constraints())
          .containsExactly(Constraint.of("rack", "LIKE", "a.*"));
      assertThat(block.program().executionEnvironment().container().orElseThrow().image().name())
          .isEqualTo("redis:7");
      assertThat(block.runPolicy().retry().attempts()).isEqualTo(4);
      assertThat(tasks.get(1).state()).isEqualTo(TaskState.RUNNING);
      assertThat(tasks.get(1).launch().location().ports()).containsExactly(31000, 31005);
      assertThat(tasks.get(1).block().requirements().after()).containsExactly(tasks.get(0).id());
      assertThat(tasks.get(2).state()).isEqualTo(TaskState.FINISHED);
      assertThat(store.result(tasks.get(2).id()).join().orElseThrow().stdout()).isEqualTo("out\n");
      assertThat(store.frameworkId().join()).contains("framework");
      assertThat(store.documentIds().join()).containsExactly("abc");
      assertThat(store.document("abc").join())
          .contains(new StoredDocument("abc", NOON, "* text", true));
    }
    try (Store store = new Store(file())) {
      assertThat(store.tasks().join()).hasSize(3);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tail_lines",
        "agent_url",
        "gpus",
        "attempts",
        "runs",
        "framework_id",
        "after_ids",
        "extras",
        "ports"
      })
  void aStoreThatLacksAnyLaterColumnIsMigrated(String column) throws Exception {
    legacy("ALTER TABLE tasks DROP COLUMN " + column);
    try (Store store = new Store(file())) {
      assertThat(store.tasks().join()).hasSize(3);
      assertThat(store.tasks().join().get(1).launch().location().frameworkId())
          .isEqualTo("framework");
    }
  }

  @Test
  void theAgentThatAnOlderStoreNamesIsAConstraint() throws Exception {
    legacy(
        "ALTER TABLE tasks DROP COLUMN extras",
        "ALTER TABLE tasks DROP COLUMN ports",
        "ALTER TABLE tasks ADD COLUMN wanted_agent TEXT NOT NULL DEFAULT ''",
        "UPDATE tasks SET wanted_agent = 'a \"b\"' WHERE sequence = 2");
    try (Store store = new Store(file())) {
      assertThat(store.tasks().join().get(1).block().requirements().constraints())
          .containsExactly(new Constraint("hostname", Constraint.Operator.IS, "a \"b\""));
    }
  }
}

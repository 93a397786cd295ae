// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.obmesos.task.Block;
import org.obmesos.task.Constraint;
import org.obmesos.task.Container;
import org.obmesos.task.Health;
import org.obmesos.task.Image;
import org.obmesos.task.Limits;
import org.obmesos.task.Needs;
import org.obmesos.task.Network;
import org.obmesos.task.Origin;
import org.obmesos.task.Placing;
import org.obmesos.task.Program;
import org.obmesos.task.Resources;
import org.obmesos.task.Retry;
import org.obmesos.task.Site;
import org.obmesos.task.Surroundings;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
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
    return task(sequence, Surroundings.NONE, new Needs(new Resources(0.5, 64, 1, 2)), "");
  }

  private static Task task(long sequence, Surroundings around, Needs needs, String group) {
    return Task.submitted(
        sequence,
        new Block(
            new TaskId("task-" + sequence),
            new Origin("name", "/doc.org", group),
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

  private static Limits limits(int tailLines, int attempts) {
    return new Limits(
        5,
        Duration.ofSeconds(7),
        Duration.ofMinutes(1),
        tailLines,
        new Retry(attempts, Retry.NONE.backoff(), Retry.Ensure.NOTHING));
  }

  @Test
  void whatFewBlocksAskForIsThereAfterTheNextStart() {
    Surroundings around =
        new Surroundings(
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
    Needs needs =
        new Needs(
            new Resources(1, 32, 0),
            List.of(new TaskId("before")),
            List.of("web", "0"),
            "prod",
            List.of(Constraint.of("rack", "like", "a.*"), Constraint.of("hostname", "UNIQUE", "")));
    Task asked = task(1, around, needs, "group");
    Task placed =
        asked.with(
            Placing.NONE.at(new Site("framework", "agent", "host", "", List.of(31000, 31005))));
    try (Store store = new Store(file())) {
      store.insert(List.of(asked)).join();
      store.update(placed).join();
    }
    try (Store store = new Store(file())) {
      assertThat(store.tasks().join()).containsExactly(placed);
    }
  }

  @Test
  void whatWasStoredIsThereAfterTheNextStart() {
    try (Store store = new Store(file())) {
      store.insert(List.of(task(1), task(2))).join();
      store.setFrameworkId("framework").join();
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
      store.insert(List.of(task(1))).join();
      store.update(ended, result).join();
    }
    try (Store store = new Store(file())) {
      assertThat(store.tasks().join()).containsExactly(ended.withoutBody());
      assertThat(store.result(ended.id()).join()).contains(result);
    }
  }

  @Test
  void aThousandTasksKeepTheirOrder() {
    List<Task> many = IntStream.rangeClosed(1, 1000).mapToObj(StoreTest::task).toList();
    try (Store store = new Store(file())) {
      store.insert(many).join();
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
  void aStoreOfAnEarlierVersionIsBroughtUpToDate() throws Exception {
    Task launched =
        task(2)
            .with(Placing.NONE.at(new Site("framework", "agent", "host", "", List.of())))
            .with(TaskStatus.of(TaskState.RUNNING, ""), NOON);
    try (Store store = new Store(file())) {
      store.setFrameworkId("framework").join();
      store.insert(List.of(task(1), launched)).join();
    }
    change(
        "ALTER TABLE tasks DROP COLUMN tail_lines",
        "ALTER TABLE tasks DROP COLUMN agent_url",
        "ALTER TABLE tasks DROP COLUMN gpus",
        "ALTER TABLE tasks DROP COLUMN attempts",
        "ALTER TABLE tasks DROP COLUMN runs",
        "ALTER TABLE tasks DROP COLUMN framework_id",
        "ALTER TABLE tasks DROP COLUMN after_ids",
        "ALTER TABLE tasks DROP COLUMN extras",
        "ALTER TABLE tasks DROP COLUMN ports");
    try (Store store = new Store(file())) {
      List<Task> found = store.tasks().join();
      assertThat(found).hasSize(2);
      assertThat(found.get(0).block().limits()).isEqualTo(limits(10, 1));
      assertThat(found.get(0).placing()).isEqualTo(Placing.NONE);
      assertThat(found.get(1).placing().site().frameworkId()).isEqualTo("framework");
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
  void aStoreThatLacksAnyColumnIsBroughtUpToDate(String column) throws Exception {
    try (Store store = new Store(file())) {
      store.insert(List.of(task(1))).join();
    }
    change("ALTER TABLE tasks DROP COLUMN " + column);
    try (Store store = new Store(file())) {
      assertThat(store.tasks().join()).hasSize(1);
      store.insert(List.of(task(2))).join();
      assertThat(store.tasks().join().get(1)).isEqualTo(task(2));
    }
  }

  @Test
  void documentsAreKeptUntilTheyAreDiscarded() {
    StoredDocument document = new StoredDocument("abc", NOON, "* text", false);
    try (Store store = new Store(file())) {
      store.keep(document).join();
      store.keep(new StoredDocument("other", NOON.plusSeconds(1), "", false)).join();
      store.taken("other").join();
    }
    try (Store store = new Store(file())) {
      assertThat(store.documents().join())
          .containsExactly(document, new StoredDocument("other", NOON.plusSeconds(1), "", true));
      assertThat(store.document("abc").join()).contains(document);
      store.discard("abc").join();
      assertThat(store.document("abc").join()).isEmpty();
    }
  }

  @Test
  void theAgentThatAnOlderStoreNamesIsAConstraintNow() throws Exception {
    try (Store store = new Store(file())) {
      store.insert(List.of(task(1), task(2))).join();
    }
    change(
        "ALTER TABLE tasks DROP COLUMN extras",
        "ALTER TABLE tasks DROP COLUMN ports",
        "ALTER TABLE tasks ADD COLUMN wanted_agent TEXT NOT NULL DEFAULT ''",
        "UPDATE tasks SET wanted_agent = 'a \"b\"' WHERE sequence = 2");
    try (Store store = new Store(file())) {
      List<Task> found = store.tasks().join();
      assertThat(found.get(0)).isEqualTo(task(1));
      assertThat(found.get(1).block().needs().constraints())
          .containsExactly(new Constraint("hostname", Constraint.Operator.IS, "a \"b\""));
    }
  }
}

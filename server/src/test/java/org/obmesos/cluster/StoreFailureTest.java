// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.TaskID;
import org.apache.mesos.v1.Protos.TaskStatus;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.junit.jupiter.api.Test;
import org.obmesos.store.Store;
import org.obmesos.store.StoreException;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskState;

/**
 * The database fails at a given write: another connection adds a trigger that raises an error, as a
 * full disk does, or holds a lock. Nothing in memory and nothing the master hears may be ahead of
 * it, and when it works again nothing is lost.
 */
final class StoreFailureTest extends FrameworkTests {
  private void sql(String... statements) throws SQLException {
    try (Connection other =
            DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("store.db"));
        Statement statement = other.createStatement()) {
      statement.execute("PRAGMA busy_timeout = 10000");
      for (String each : statements) {
        statement.execute(each);
      }
    }
  }

  private void fail(String when) throws SQLException {
    sql(
        "CREATE TRIGGER broken BEFORE "
            + when
            + " BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END");
  }

  private void mend() throws SQLException {
    sql("DROP TRIGGER broken");
  }

  private TaskState state(String id) {
    return framework.get(List.of(new TaskId(id))).join().get(0).state();
  }

  private String stdout(String id) {
    return framework.result(new TaskId(id)).join().orElseThrow().stdout();
  }

  private void awaitFinished(String id) {
    await().atMost(LONG).until(() -> state(id) == TaskState.FINISHED);
  }

  @Test
  void aSubmissionThatIsNotStoredLeavesNoGhost() throws Exception {
    connect(master.address());
    assertThat(framework.list().join()).isEmpty();
    fail("INSERT ON tasks WHEN NEW.id = 'c'");
    List<org.obmesos.task.Block> job =
        List.of(block("a", "echo a"), block("b", "echo b"), block("c", "echo c"));
    assertThatThrownBy(() -> framework.submit(job, Map.of()).join())
        .hasCauseInstanceOf(StoreException.class)
        .hasMessageContaining("disk is full");
    assertThat(framework.list().join()).isEmpty();
    assertThat(store.tasks().join()).isEmpty();
    assertThat(listener.warnings).singleElement().asString().contains("store.db", "disk is full");
    mend();
    submit(job);
    for (String id : List.of("a", "b", "c")) {
      awaitFinished(id);
      assertThat(stdout(id)).isEqualTo(id + "\n");
    }
  }

  @Test
  void anOfferIsDeclinedIfItsLaunchIsNotStoredAndTheTaskIsLaunchedLater() throws Exception {
    connect(master.address());
    assertThat(framework.list().join()).isEmpty();
    fail("UPDATE ON tasks WHEN NEW.state = 'STAGING'");
    submit(List.of(block("a", "echo a")));
    await()
        .atMost(LONG)
        .until(
            () ->
                framework.offers().join().stream()
                    .anyMatch(note -> note.outcome().contains("could not be stored")));
    assertThat(state("a")).isEqualTo(TaskState.QUEUED);
    await().atMost(LONG).until(() -> !master.calls(Call.Type.DECLINE).isEmpty());
    assertThat(master.calls(Call.Type.ACCEPT)).isEmpty();
    mend();
    awaitFinished("a");
    assertThat(stdout("a")).isEqualTo("a\n");
  }

  @Test
  void anEndThatIsNotStoredIsNotAcknowledgedAndNotLost() throws Exception {
    connect(master.address());
    assertThat(framework.list().join()).isEmpty();
    fail("UPDATE ON tasks WHEN NEW.state = 'FINISHED'");
    Path done = directory.resolve("done");
    submit(List.of(block("a", "echo a; touch " + done)));
    await().atMost(LONG).until(() -> Files.exists(done) && state("a") == TaskState.RUNNING);
    // STARTING and RUNNING are acknowledged, and the end never before it is stored.
    await().atMost(LONG).until(() -> master.calls(Call.Type.ACKNOWLEDGE).size() == 2);
    framework.kill(List.of(new TaskId("a"))).join();
    assertThat(listener.results).isEmpty();
    mend();
    awaitFinished("a");
    assertThat(stdout("a")).isEqualTo("a\n");
    await().atMost(LONG).until(() -> master.calls(Call.Type.ACKNOWLEDGE).size() >= 3);
  }

  @Test
  void aKillThatIsNotStoredFails() throws Exception {
    connect(master.address());
    submit(List.of(block("a", "sleep 300")));
    await().atMost(LONG).until(() -> state("a") == TaskState.RUNNING);
    fail("UPDATE ON tasks");
    assertThatThrownBy(() -> framework.kill(List.of(new TaskId("a"))).join())
        .hasCauseInstanceOf(StoreException.class);
    assertThat(master.calls(Call.Type.KILL)).isEmpty();
    mend();
    framework.kill(List.of(new TaskId("a"))).join();
    await().atMost(LONG).until(() -> state("a") == TaskState.KILLED);
  }

  private static Event running(String task, String uuid) {
    return Event.newBuilder()
        .setType(Event.Type.UPDATE)
        .setUpdate(
            Event.Update.newBuilder()
                .setStatus(
                    TaskStatus.newBuilder()
                        .setTaskId(TaskID.newBuilder().setValue(task))
                        .setAgentId(AgentID.newBuilder().setValue("agent"))
                        .setState(org.apache.mesos.v1.Protos.TaskState.TASK_UNREACHABLE)
                        .setUuid(ByteString.copyFromUtf8(uuid))))
        .build();
  }

  private long acknowledgements(String uuid) {
    return master.calls(Call.Type.ACKNOWLEDGE).stream()
        .filter(call -> call.getAcknowledge().getUuid().toStringUtf8().equals(uuid))
        .count();
  }

  @Test
  void anUpdateThatIsSentAgainDuringASlowWriteIsNotAcknowledgedBeforeItIsStored() throws Exception {
    store.close();
    store = new Store(directory.resolve("store.db"), 60_000);
    connect(master.address());
    submit(List.of(block("a", "sleep 300")));
    await().atMost(LONG).until(() -> state("a") == TaskState.RUNNING);
    String uuid = "0123456789abcdef";
    try (Connection other =
            DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("store.db"));
        Statement statement = other.createStatement()) {
      statement.execute("PRAGMA busy_timeout = 10000");
      statement.execute("BEGIN IMMEDIATE");
      master.say(running("a", uuid));
      master.say(running("a", uuid));
      // An event that needs no write comes after both.
      master.say(
          Event.newBuilder()
              .setType(Event.Type.FAILURE)
              .setFailure(
                  Event.Failure.newBuilder()
                      .setAgentId(
                          AgentID.newBuilder().setValue(framework.agents().join().get(0).id())))
              .build());
      await().atMost(LONG).until(() -> framework.agents().join().isEmpty());
      assertThat(acknowledgements(uuid)).isZero();
      assertThat(listener.statuses).noneMatch(task -> task.state() == TaskState.UNREACHABLE);
      statement.execute("ROLLBACK");
    }
    await().atMost(LONG).until(() -> acknowledgements(uuid) >= 1);
    assertThat(store.tasks().join()).extracting(Task::state).containsExactly(TaskState.UNREACHABLE);
    framework.kill(List.of(new TaskId("a"))).join();
  }

  @Test
  void aDatabaseThatIsLockedForLongFailsARequestAndNothingElse() throws Exception {
    store.close();
    store = new Store(directory.resolve("store.db"), 100);
    connect(master.address());
    assertThat(framework.list().join()).isEmpty();
    try (Connection other =
            DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("store.db"));
        Statement statement = other.createStatement()) {
      statement.execute("BEGIN IMMEDIATE");
      assertThatThrownBy(() -> framework.submit(List.of(block("a", "echo a")), Map.of()).join())
          .hasMessageContaining("SQLITE_BUSY");
      statement.execute("ROLLBACK");
    }
    submit(List.of(block("a", "echo a")));
    awaitFinished("a");
  }

  @Test
  void aRequestFailsIfTheStoreCannotBeRead() throws Exception {
    assertThat(store.tasks().join()).isEmpty();
    sql("ALTER TABLE tasks RENAME TO elsewhere");
    connect(master.address());
    assertThatThrownBy(() -> framework.agents().get(40, TimeUnit.SECONDS))
        .hasCauseInstanceOf(StoreException.class);
    assertThat(listener.storeLost).singleElement().asString().contains("cannot be read");
    // Nor does one wait that comes after that is known.
    assertThatThrownBy(() -> framework.agents().get(40, TimeUnit.SECONDS))
        .hasCauseInstanceOf(StoreException.class);
  }

  @Test
  void aFrameworkIdThatIsNotStoredIsNotUsedOnTheNextConnectionEither() throws Exception {
    assertThat(store.tasks().join()).isEmpty();
    fail("INSERT ON meta");
    connect(master.address());
    await().atMost(LONG).until(() -> !listener.warnings.isEmpty());
    master.cutInTheMiddleOfARecord();
    await().atMost(LONG).until(() -> master.calls(Call.Type.SUBSCRIBE).size() >= 2);
    await()
        .during(Duration.ofSeconds(1))
        .atMost(LONG)
        .until(() -> !listener.connected && master.calls(Call.Type.ACCEPT).isEmpty());
    mend();
    submit(blocks(1, "true"));
    verdict(1);
    assertThat(store.frameworkId().join().orElseThrow())
        .isEqualTo(framework.list().join().get(0).launch().location().frameworkId());
  }

  @Test
  void aStoreThatKeepsFailingEndsTheServerAndTheNextOneKnowsTheTasks() throws Exception {
    storeFailureLimit = Duration.ZERO;
    connect(master.address());
    submit(List.of(block("a", "echo a; sleep 1; echo b")));
    await().atMost(LONG).until(() -> state("a") == TaskState.RUNNING);
    fail("UPDATE ON tasks");
    await().atMost(LONG).until(() -> !listener.storeLost.isEmpty());
    assertThat(listener.storeLost.get(0))
        .contains("store.db", "disk is full", "running tasks continue");
    framework.close();
    store.close();
    mend();
    storeFailureLimit = Duration.ofMinutes(5);
    store = new Store(directory.resolve("store.db"));
    connect(master.address());
    awaitFinished("a");
    assertThat(stdout("a")).isEqualTo("a\nb\n");
  }
}

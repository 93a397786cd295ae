// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.apache.mesos.v1.Protos.TaskState.TASK_FINISHED;
import static org.apache.mesos.v1.Protos.TaskState.TASK_GONE_BY_OPERATOR;
import static org.apache.mesos.v1.Protos.TaskState.TASK_RUNNING;
import static org.apache.mesos.v1.Protos.TaskState.TASK_UNKNOWN;
import static org.apache.mesos.v1.Protos.TaskState.TASK_UNREACHABLE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.TaskID;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.apache.mesos.v1.Protos.TaskStatus;
import org.apache.mesos.v1.Protos.TaskStatus.Reason;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.junit.jupiter.api.Test;
import org.obmesos.driver.MesosHttpClient;
import org.obmesos.scheduler.Framework;
import org.obmesos.store.Store;
import org.obmesos.task.Block;
import org.obmesos.task.ExecutionEnvironment;
import org.obmesos.task.Origin;
import org.obmesos.task.Requirements;
import org.obmesos.task.Resources;
import org.obmesos.task.Retry;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskState;

/** How the framework behaves towards its master (Mesos' high-availability framework guide). */
final class SchedulerProtocolTest extends FrameworkTests {
  private Block failing(String id, int times, int attempts) {
    String runs = directory.resolve("runs-" + id).toString();
    return asking(
        id,
        "echo x >> " + runs + "; echo run; test $(wc -l < " + runs + ") -gt " + times,
        new Resources(0.1, 16, 0),
        attempts);
  }

  @Test
  void whatIsRemovedIsLostAndANewFrameworkBegins() throws Exception {
    connect(master.address());
    submit(blocks(2, "sleep 60"));
    awaitState("task-0", TaskState.RUNNING);
    awaitState("task-1", TaskState.RUNNING);
    master.removeFramework();
    awaitState("task-0", TaskState.LOST);
    awaitState("task-1", TaskState.LOST);
    assertThat(task("task-0").status().message()).isEqualTo("Framework has been removed");
    submit(List.of(block("after", "echo goes on")));
    awaitState("after", TaskState.FINISHED);
    assertThat(framework.result(new TaskId("after")).join().orElseThrow().stdout())
        .isEqualTo("goes on\n");
    assertThat(task("after").launch().location().frameworkId())
        .isNotEqualTo(task("task-0").launch().location().frameworkId());
  }

  @Test
  void whatTheMasterHasAgainstUsIsSaidAndTriedAgain() throws Exception {
    connect(master.address());
    submit(List.of(block("before", "true")));
    awaitState("before", TaskState.FINISHED);
    master.say(TestMaster.error("Role '*' is not to your taste"));
    await().atMost(LONG).until(() -> troubles.contains("Role '*' is not to your taste"));
    submit(List.of(block("after", "true")));
    awaitState("after", TaskState.FINISHED);
  }

  @Test
  void aRoleThatTheMasterRefusesIsTheErrorOfItsTaskOnly() throws Exception {
    master.refuseRole("removed-x");
    connect(master.address());
    Requirements needs =
        new Requirements(new Resources(0.1, 16, 0), List.of(), List.of(), "removed-x", List.of());
    submit(List.of(block("runs", "sleep 300"), TestBlocks.needing(block("bad", "true"), needs)));
    awaitState("bad", TaskState.ERROR);
    assertThat(task("bad").status().message())
        .isEqualTo("Roles { removed-x } are not present in the master's --roles");
    submit(List.of(block("after", "true")));
    awaitState("after", TaskState.FINISHED);
    awaitState("runs", TaskState.RUNNING);
  }

  @Test
  void acknowledgementsWaitForNoOtherCall() throws Exception {
    master.answerAcknowledgementsTogether(5);
    connect(master.address());
    submit(blocks(4, "exec sleep 60"));
    for (int n = 0; n < 4; n++) {
      awaitState("task-" + n, TaskState.RUNNING);
    }
    framework.kill(List.of(new TaskId("task-0"))).join();
    awaitState("task-0", TaskState.KILLED);
    await().atMost(LONG).until(() -> master.calls(Call.Type.ACKNOWLEDGE).size() >= 5);
    assertThat(troubles).isEmpty();
  }

  @Test
  void whoIsTakenOverStandsBack() throws Exception {
    connect(master.address());
    submit(List.of(block("first", "true")));
    awaitState("first", TaskState.FINISHED);
    store.close();
    Framework before = framework;
    try (Store same = new Store(directory.resolve("store.db"))) {
      store = same;
      connect(master.address());
      await().atMost(LONG).until(() -> troubles.contains("Framework failed over"));
      submit(List.of(block("second", "true")));
      awaitState("second", TaskState.FINISHED);
      assertThat(master.calls(Call.Type.SUBSCRIBE)).hasSize(2);
    } finally {
      before.close();
    }
  }

  @Test
  void anOperatorSeesWhereATaskComesFrom() throws Exception {
    connect(master.address());
    submit(
        List.of(
            TestBlocks.from(
                block("labelled", "true"), new Origin("install", "/home/me/notes.org"))));
    awaitState("labelled", TaskState.FINISHED);
    TaskInfo launched =
        master
            .calls(Call.Type.ACCEPT)
            .get(0)
            .getAccept()
            .getOperations(0)
            .getLaunch()
            .getTaskInfos(0);
    assertThat(launched.getLabels().getLabelsList())
        .extracting(label -> label.getKey() + "=" + label.getValue())
        .containsExactly(
            "block=install",
            "document=/home/me/notes.org",
            "user=" + System.getProperty("user.name"));
  }

  @Test
  void whatIsToFinishRunsUntilItDoes() throws Exception {
    connect(master.address());
    submit(
        List.of(
            TestBlocks.retrying(
                failing("stubborn", 4, 1),
                new Retry(1, Duration.ofMillis(10), Retry.Ensure.IT_FINISHES))));
    awaitState("stubborn", TaskState.FINISHED);
    assertThat(directory.resolve("runs-stubborn")).hasContent("x\nx\nx\nx\nx");
  }

  @Test
  void whatIsToKeepRunningDoesSoAcrossARestartUntilItIsKilled() throws Exception {
    Path runs = directory.resolve("runs");
    connect(master.address());
    submit(
        List.of(
            TestBlocks.retrying(
                block("eternal", "echo x >> " + runs + "; sleep 0.1"),
                new Retry(1, Duration.ofMillis(10), Retry.Ensure.IT_KEEPS_RUNNING))));
    await().atMost(LONG).until(() -> Files.exists(runs) && Files.readAllLines(runs).size() >= 3);
    framework.close();
    store.close();
    store = new Store(directory.resolve("store.db"));
    int before = Files.readAllLines(runs).size();
    connect(master.address());
    await().atMost(LONG).until(() -> Files.readAllLines(runs).size() >= before + 3);
    framework.kill(List.of(new TaskId("eternal"))).join();
    awaitState("eternal", TaskState.KILLED);
  }

  @Test
  void aSecretIsInNoFileAndIsAskedForAgainAfterARestart() throws Exception {
    Path out = directory.resolve("out");
    Block block =
        TestBlocks.needing(
            TestBlocks.in(
                block("secretive", "echo ${#TOKEN} > " + out),
                new ExecutionEnvironment(
                    Optional.empty(), List.of(), "", Optional.empty(), Set.of("TOKEN"))),
            blockFor("no-such-agent", "any").requirements());
    connect(master.address());
    Map<TaskId, Map<String, String>> secrets = Map.of(block.id(), Map.of("TOKEN", "hush-hush"));
    framework.submit(List.of(block), secrets).join();
    framework.close();
    store.close();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(Files.readString(file, StandardCharsets.ISO_8859_1)).doesNotContain("hush-hush");
      }
    }
    store = new Store(directory.resolve("store.db"));
    connect(master.address());
    Block easy = TestBlocks.in(block("easy", "true"), block.program().executionEnvironment());
    submit(List.of(easy));
    awaitMessage("secretive", message -> message.startsWith("waits for its secrets"));
    framework.submit(List.of(easy), Map.of(easy.id(), Map.of("TOKEN", "x"))).join();
    awaitState("easy", TaskState.FINISHED);
    framework.submit(List.of(block), secrets).join();
    awaitMessage("secretive", message -> message.startsWith("fits on no agent"));
  }

  @Test
  void aLaunchThatIsDroppedIsMadeAgainUnderAnotherName() throws Exception {
    connect(master.address());
    master.dropLaunches(2);
    submit(blocks(1, "true"));
    verdict(1);
    assertThat(task("task-0").launch().attempt()).isEqualTo(2);
    assertThat(task("task-0").mesosTaskId()).isEqualTo("task-0.2");
  }

  @Test
  void aLaunchThatIsRefusedIsMadeAgainAndAtLastSaidInTheMastersWords() throws Exception {
    connect(master.address());
    master.refuseLaunches(2);
    submit(blocks(1, "true"));
    verdict(1);
    master.refuseLaunches(1000);
    submit(List.of(block("never", "true")));
    awaitState("never", TaskState.DROPPED);
    assertThat(task("never").status().message()).contains("no launches today");
  }

  @Test
  void aLaunchThatAProxyAnswersForIsNotMadeTwice() throws Exception {
    connect(master.address());
    master.failLaunchesInAProxy(1);
    submit(blocks(2, "sleep 0.5"));
    verdict(2);
  }

  @Test
  void killsThatWaitToBeSentAreSentBeforeTheEnd() throws Exception {
    connect(master.address());
    submit(blocks(5, "sleep 300"));
    for (int n = 0; n < 5; n++) {
      awaitState("task-" + n, TaskState.RUNNING);
    }
    framework.kill(IntStream.range(0, 5).mapToObj(n -> new TaskId("task-" + n)).toList()).join();
    framework.close();
    assertThat(master.calls(Call.Type.KILL)).hasSize(5);
  }

  @Test
  void aTaskCanBeSubmittedAgainRightBehindItsDeletion() throws Exception {
    connect(master.address());
    submit(List.of(block("same", "echo first")));
    awaitState("same", TaskState.FINISHED);
    CompletableFuture<List<TaskId>> deleted = framework.delete(List.of(new TaskId("same")));
    CompletableFuture<Void> submitted =
        framework.submit(List.of(block("same", "echo second")), Map.of());
    assertThat(deleted.join()).containsExactly(new TaskId("same"));
    submitted.join();
    assertThat(task("same").sequence()).isEqualTo(2);
  }

  @Test
  void theDependentOfAFailedTaskThatIsDeletedDoesNotRun() throws Exception {
    connect(master.address());
    submit(List.of(block("bad", "exit 1")));
    awaitState("bad", TaskState.FAILED);
    Path ran = directory.resolve("ran");
    Block dependent =
        TestBlocks.needing(
            block("dependent", "touch " + ran),
            new Requirements(
                new Resources(0.1, 16, 0), List.of(new TaskId("bad")), List.of(), "", List.of()));
    CompletableFuture<Void> submitted = framework.submit(List.of(dependent), Map.of());
    CompletableFuture<List<TaskId>> deleted = framework.delete(List.of(new TaskId("bad")));
    submitted.join();
    deleted.join();
    awaitState("dependent", TaskState.ERROR);
    assertThat(ran).doesNotExist();
    framework.delete(List.of(new TaskId("bad"))).join();
    assertThat(framework.get(List.of(new TaskId("bad"))).join()).isEmpty();
  }

  @Test
  void aLaunchThatIsLostWithItsMasterIsMadeAgain() throws Exception {
    connect(master.address());
    master.loseLaunches(1);
    submit(blocks(3, "true"));
    await().atMost(LONG).until(() -> !master.calls(Call.Type.ACCEPT).isEmpty());
    master.cutInTheMiddleOfARecord();
    verdict(3);
  }

  @Test
  void aTaskThatRanIsRunAgainAsOftenAsItsBlockSays() throws Exception {
    connect(master.address());
    submit(List.of(failing("mended", 1, 2), failing("hopeless", 9, 2), failing("once", 9, 1)));
    awaitState("mended", TaskState.FINISHED);
    awaitState("hopeless", TaskState.FAILED);
    awaitState("once", TaskState.FAILED);
    assertThat(directory.resolve("runs-mended")).hasContent("x\nx\n");
    assertThat(directory.resolve("runs-hopeless")).hasContent("x\nx\n");
    assertThat(directory.resolve("runs-once")).hasContent("x\n");
    assertThat(framework.result(new TaskId("mended")).join().orElseThrow().stdout())
        .isEqualTo("run\n");
  }

  /** Runs a task that waits for the file go. */
  private void runUntilGo() throws Exception {
    connect(master.address());
    submit(blocks(1, "while ! test -e " + directory + "/go; do sleep 0.05; done"));
    awaitState("task-0", TaskState.RUNNING);
  }

  @Test
  void aTaskThatIsUnreachableCanComeBack() throws Exception {
    runUntilGo();
    master.say("task-0", TASK_UNREACHABLE, Reason.REASON_AGENT_REMOVED);
    awaitState("task-0", TaskState.UNREACHABLE);
    master.say("task-0", TASK_RUNNING, Reason.REASON_AGENT_REREGISTERED);
    awaitState("task-0", TaskState.RUNNING);
    Files.createFile(directory.resolve("go"));
    verdict(1);
  }

  @Test
  void aTaskThatARestartedMasterDoesNotKnowYetCanComeBack() throws Exception {
    runUntilGo();
    master.say("task-0", TASK_UNKNOWN, Reason.REASON_RECONCILIATION);
    awaitState("task-0", TaskState.UNREACHABLE);
    assertThat(task("task-0").status().message()).contains("unless its agent registers again");
    Files.createFile(directory.resolve("go"));
    verdict(1);
  }

  @Test
  void aTaskThatTheMasterDoesNotKnowOnceItsAgentsHaveRegisteredIsLost() throws Exception {
    agentReregistration = Duration.ZERO;
    connect(master.address());
    submit(blocks(1, "sleep 300"));
    awaitState("task-0", TaskState.RUNNING);
    master.say("task-0", TASK_UNKNOWN, Reason.REASON_RECONCILIATION);
    awaitState("task-0", TaskState.LOST);
  }

  @Test
  void aTaskThatIsUnreachableCanBeGivenUp() throws Exception {
    connect(master.address());
    submit(blocks(1, "sleep 300"));
    awaitState("task-0", TaskState.RUNNING);
    master.say("task-0", TASK_UNREACHABLE, Reason.REASON_AGENT_REMOVED);
    awaitState("task-0", TaskState.UNREACHABLE);
    master.loseKills();
    framework.kill(List.of(new TaskId("task-0"))).join();
    awaitState("task-0", TaskState.KILLED);
    assertThat(task("task-0").status().message()).contains("does not answer");
    int kills = master.calls(Call.Type.KILL).size();
    master.say("task-0", TASK_RUNNING, Reason.REASON_AGENT_REREGISTERED);
    await().atMost(LONG).until(() -> master.calls(Call.Type.KILL).size() > kills);
  }

  @Test
  void aTaskWhoseAgentIsGoneHasEndedAndIsKilledShouldItComeBack() throws Exception {
    connect(master.address());
    submit(blocks(1, "sleep 300"));
    awaitState("task-0", TaskState.RUNNING);
    master.say("task-0", TASK_GONE_BY_OPERATOR, Reason.REASON_AGENT_REMOVED_BY_OPERATOR);
    awaitState("task-0", TaskState.GONE_BY_OPERATOR);
    assertThat(master.calls(Call.Type.KILL)).isEmpty();
    master.say("task-0", TASK_RUNNING, Reason.REASON_AGENT_REREGISTERED);
    await().atMost(LONG).until(() -> !master.calls(Call.Type.KILL).isEmpty());
  }

  @Test
  void anEndWithKillsWaitsForThemAndTearsTheFrameworkDown() throws Exception {
    connect(master.address());
    submit(blocks(2, "sleep 300"));
    awaitState("task-0", TaskState.RUNNING);
    awaitState("task-1", TaskState.RUNNING);
    framework.finish(List.of(new TaskId("task-0"))).join();
    assertThat(task("task-0").state()).isEqualTo(TaskState.KILLED);
    assertThat(task("task-1").state()).isEqualTo(TaskState.RUNNING);
    assertThat(master.calls(Call.Type.TEARDOWN)).isEmpty();
    framework.finish(List.of(new TaskId("task-1"))).join();
    assertThat(task("task-1").state()).isEqualTo(TaskState.KILLED);
    assertThat(master.calls(Call.Type.TEARDOWN)).hasSize(1);
    assertThat(store.frameworkId().join()).isEmpty();
  }

  @Test
  void anEndWithKillsIsLeftToTheNextServerWhereNoMasterHearsIt() throws Exception {
    connect(master.address());
    submit(blocks(1, "sleep 300"));
    awaitState("task-0", TaskState.RUNNING);
    master.want("Basic nobody");
    master.cutInTheMiddleOfARecord();
    await().atMost(LONG).until(() -> !troubles.isEmpty());
    framework.finish(List.of(new TaskId("task-0"))).join();
    framework.close();
    master.want(null);
    connect(master.address());
    awaitState("task-0", TaskState.KILLED);
  }

  @Test
  void whatComesRightAfterTheSubscriptionIsAcknowledged() throws Exception {
    connect(master.address());
    submit(blocks(1, "true"));
    verdict(1);
    ByteString uuid = ByteString.copyFromUtf8("0123456789abcdef");
    master.greetWith(
        Event.newBuilder()
            .setType(Event.Type.UPDATE)
            .setUpdate(
                Event.Update.newBuilder()
                    .setStatus(
                        TaskStatus.newBuilder()
                            .setTaskId(TaskID.newBuilder().setValue("earlier"))
                            .setAgentId(AgentID.newBuilder().setValue("agent"))
                            .setState(TASK_FINISHED)
                            .setUuid(uuid)))
            .build());
    master.cutInTheMiddleOfARecord();
    await()
        .atMost(LONG)
        .until(
            () ->
                master.calls(Call.Type.ACKNOWLEDGE).stream()
                    .anyMatch(call -> call.getAcknowledge().getUuid().equals(uuid)));
  }

  @Test
  void anAgentThatIsAwayForAWhileIsReadLater() throws Exception {
    connect(master.address());
    submit(blocks(1, "true"));
    master.agentAway(3);
    verdict(1);
  }

  @Test
  void whatNobodyWantsGoesBackAtOnceAndWorkIsTakenUpAtOnce() throws Exception {
    connect(master.address());
    await().atMost(LONG).until(() -> troubles.isEmpty() && subscribed());
    assertThat(master.calls(Call.Type.SUBSCRIBE).get(0).getSubscribe().getSuppressedRolesList())
        .containsExactly("*");
    submit(blocks(1, "true"));
    verdict(1);
    await().atMost(LONG).until(() -> !master.calls(Call.Type.SUPPRESS).isEmpty());
    int revived = master.calls(Call.Type.REVIVE).size();
    submit(List.of(block("next", "true")));
    awaitState("next", TaskState.FINISHED);
    assertThat(master.calls(Call.Type.REVIVE)).hasSizeGreaterThan(revived);
  }

  private boolean subscribed() {
    return !master.calls(Call.Type.SUBSCRIBE).isEmpty();
  }

  @Test
  void anotherServerOfTheSameStoreTakesItsTasksOver() throws Exception {
    connect(master.address());
    submit(blocks(5, "sleep 1"));
    awaitRunning();
    framework.close();
    store.close();
    store = new Store(directory.resolve("store.db"));
    connect(
        master.address(),
        MesosHttpClient.of(Optional.empty(), MesosHttpClient.Trust.SYSTEM),
        Optional.empty());
    verdict(5);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.apache.mesos.v1.Protos.DurationInfo;
import org.apache.mesos.v1.Protos.Environment;
import org.apache.mesos.v1.Protos.Filters;
import org.apache.mesos.v1.Protos.HealthCheck;
import org.apache.mesos.v1.Protos.KillPolicy;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.Secret;
import org.apache.mesos.v1.Protos.TaskID;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.apache.mesos.v1.Protos.TaskState;
import org.apache.mesos.v1.Protos.TaskStatus;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.obmesos.driver.MesosResources;
import org.obmesos.driver.SchedulerDriver;
import org.obmesos.sandbox.Sandbox;
import org.obmesos.sandbox.Sandboxes;
import org.obmesos.task.AvailableResources;
import org.obmesos.task.Block;
import org.obmesos.task.LaunchState;
import org.obmesos.task.Ports;
import org.obmesos.task.Resources;
import org.obmesos.task.Task;
import org.obmesos.task.TaskLocation;

/** What every cluster does, as recordings of a real one have it. */
abstract class ConformanceTest {
  static final Duration LONG = Duration.ofMinutes(3);

  @TempDir Path directory;
  Subscriber subscriber;
  SchedulerDriver mesos;

  /** A driver, not started yet, to a cluster with an agent of at least 4 cpus on this machine. */
  abstract SchedulerDriver connect(Scheduler scheduler) throws Exception;

  /** Where the cluster's sandboxes are. */
  abstract Sandboxes sandboxes() throws Exception;

  @BeforeEach
  void start() throws Exception {
    subscriber = new Subscriber();
    mesos = begin(subscriber);
  }

  SchedulerDriver begin(Subscriber with) throws Exception {
    SchedulerDriver cluster = connect(with);
    cluster.start();
    await().atMost(LONG).until(() -> !with.offers().isEmpty());
    return cluster;
  }

  @AfterEach
  void stop() throws Exception {
    call(Call.Type.TEARDOWN).get(10, TimeUnit.SECONDS);
    mesos.close();
    end();
  }

  /** Ends the cluster, where it is ours. */
  void end() {}

  private CompletableFuture<Void> call(Call.Type type) {
    return mesos.call(Call.newBuilder().setType(type).setFrameworkId(subscriber.id).build());
  }

  /** The sandbox of a task that was launched on the offer. */
  private Sandbox sandbox(Offer offer, String task) throws Exception {
    var at = offer.getUrl().getAddress();
    TaskLocation site =
        new TaskLocation(
            subscriber.id.getValue(),
            offer.getAgentId().getValue(),
            offer.getHostname(),
            "http://" + at.getHostname() + ":" + at.getPort(),
            List.of(),
            "");
    Block block = TestBlocks.of(task, "true");
    return sandboxes().of(Task.submitted(1, block, Instant.now()).with(LaunchState.NONE.at(site)));
  }

  static TaskInfo.Builder task(String id, String command) {
    return TaskInfo.newBuilder()
        .setName(id)
        .setTaskId(TaskID.newBuilder().setValue(id))
        .setAgentId(AgentID.newBuilder().setValue("set on launch"))
        .addAllResources(MesosResources.list(new Resources(0.1, 32, 0), "*"))
        .setCommand(CommandInfo.newBuilder().setShell(true).setValue(command));
  }

  void launch(Offer offer, TaskInfo.Builder... tasks) {
    Call.Accept.Builder accept =
        Call.Accept.newBuilder()
            .addOfferIds(offer.getId())
            .setFilters(Filters.newBuilder().setRefuseSeconds(0));
    Offer.Operation.Launch.Builder launch = Offer.Operation.Launch.newBuilder();
    for (TaskInfo.Builder task : tasks) {
      launch.addTaskInfos(task.setAgentId(offer.getAgentId()));
    }
    accept.addOperationsBuilder().setType(Offer.Operation.Type.LAUNCH).setLaunch(launch);
    mesos.send(
        Call.newBuilder()
            .setType(Call.Type.ACCEPT)
            .setFrameworkId(subscriber.id)
            .setAccept(accept)
            .build());
  }

  Offer lastOffer() {
    List<Offer> offers = subscriber.offers();
    return offers.get(offers.size() - 1);
  }

  TaskStatus ended(String task) {
    await()
        .pollDelay(Duration.ZERO)
        .atMost(LONG)
        .until(
            () ->
                subscriber.of(task).stream()
                    .anyMatch(
                        status ->
                            switch (status.getState()) {
                              case TASK_FINISHED,
                                  TASK_FAILED,
                                  TASK_KILLED,
                                  TASK_ERROR,
                                  TASK_DROPPED,
                                  TASK_UNKNOWN ->
                                  true;
                              default -> false;
                            }));
    List<TaskStatus> all = subscriber.of(task);
    return all.get(all.size() - 1);
  }

  void kill(String task) {
    mesos.send(
        Call.newBuilder()
            .setType(Call.Type.KILL)
            .setFrameworkId(subscriber.id)
            .setKill(Call.Kill.newBuilder().setTaskId(TaskID.newBuilder().setValue(task)))
            .build());
  }

  List<TaskState> states(String task) {
    return subscriber.of(task).stream().map(TaskStatus::getState).toList();
  }

  @Test
  void aCommandThatFailsGoesThroughTheRecordedStates() {
    launch(lastOffer(), task("exit-3", "echo failing; exit 3"));
    TaskStatus last = ended("exit-3");
    assertThat(states("exit-3"))
        .containsExactly(TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_FAILED);
    assertThat(last.getMessage()).isEqualTo("Command exited with status 3");
    assertThat(last.getSource()).isEqualTo(TaskStatus.Source.SOURCE_EXECUTOR);
    assertThat(last.hasReason()).isFalse();
  }

  @Test
  void aSignalIsToldByItsDescription() {
    launch(lastOffer(), task("sig-9", "kill -9 $$"));
    assertThat(ended("sig-9").getMessage()).isEqualTo("Command terminated with signal Killed");
  }

  @Test
  void filesAreFetchedAndUnpackedBeforeTheTaskBegins() throws Exception {
    Files.createDirectory(directory.resolve("packed"));
    Files.writeString(directory.resolve("packed/file"), "unpacked");
    Path archive = directory.resolve("archive.tar.gz");
    assertThat(
            new ProcessBuilder("tar", "-C", directory + "", "-czf", archive + "", "packed")
                .start()
                .waitFor())
        .isZero();
    Path tool = Files.writeString(directory.resolve("tool"), "#!/bin/sh\ncat packed/file");
    TaskInfo.Builder task = task("fetching", "./renamed > " + directory.resolve("out"));
    task.getCommandBuilder()
        .addUris(CommandInfo.URI.newBuilder().setValue("file://" + archive).setExtract(true))
        .addUris(
            CommandInfo.URI
                .newBuilder()
                .setValue(tool.toString())
                .setExtract(false)
                .setExecutable(true)
                .setOutputFile("renamed"));
    launch(lastOffer(), task);
    assertThat(ended("fetching").getState()).isEqualTo(TaskState.TASK_FINISHED);
    assertThat(directory.resolve("out")).hasContent("unpacked");
  }

  @Test
  void aFileThatCannotBeFetchedFailsTheTask() {
    TaskInfo.Builder task = task("no-file", "true");
    task.getCommandBuilder()
        .addUris(CommandInfo.URI.newBuilder().setValue("/no/such/file").setExtract(false));
    launch(lastOffer(), task);
    TaskStatus last = ended("no-file");
    assertThat(last.getState()).isEqualTo(TaskState.TASK_FAILED);
    assertThat(last.getSource()).isEqualTo(TaskStatus.Source.SOURCE_AGENT);
    assertThat(last.getReason()).isEqualTo(TaskStatus.Reason.REASON_CONTAINER_LAUNCH_FAILED);
    assertThat(last.getMessage()).contains("Failed to fetch");
  }

  @Test
  void aTaskThatIsNotWellIsEndedAndThatIsToldOfIt() throws Exception {
    Path well = Files.createFile(directory.resolve("well"));
    TaskInfo.Builder task =
        task("ill", "sleep 300")
            .setHealthCheck(
                HealthCheck.newBuilder()
                    .setType(HealthCheck.Type.COMMAND)
                    .setCommand(CommandInfo.newBuilder().setValue("test -e " + well))
                    .setDelaySeconds(0)
                    .setIntervalSeconds(0.1)
                    .setGracePeriodSeconds(0)
                    .setConsecutiveFailures(2));
    launch(lastOffer(), task);
    await()
        .atMost(LONG)
        .until(() -> subscriber.of("ill").stream().anyMatch(TaskStatus::getHealthy));
    Files.delete(well);
    TaskStatus last = ended("ill");
    assertThat(last.getState()).isEqualTo(TaskState.TASK_KILLED);
    assertThat(last.hasHealthy()).isTrue();
    assertThat(last.getHealthy()).isFalse();
    assertThat(subscriber.of("ill"))
        .anyMatch(
            status ->
                status.getState() == TaskState.TASK_RUNNING
                    && status.getReason()
                        == TaskStatus.Reason.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED
                    && !status.getHealthy());
  }

  @Test
  void aPortIsSeenToBeServed() throws Exception {
    try (ServerSocket listening = new ServerSocket(0)) {
      launch(
          lastOffer(),
          task("served", "sleep 300")
              .setHealthCheck(
                  HealthCheck.newBuilder()
                      .setType(HealthCheck.Type.TCP)
                      .setTcp(
                          HealthCheck.TCPCheckInfo.newBuilder().setPort(listening.getLocalPort()))
                      .setDelaySeconds(0)
                      .setIntervalSeconds(0.1)));
      await()
          .atMost(LONG)
          .until(() -> subscriber.of("served").stream().anyMatch(TaskStatus::getHealthy));
    }
    kill("served");
    ended("served");
  }

  @Test
  void aSecretIsAVariableLikeOthers() {
    TaskInfo.Builder task =
        task("secret", "test \"$TOKEN\" = 'hush hush' -a \"$OPEN\" = word && exit 5");
    task.getCommandBuilder()
        .getEnvironmentBuilder()
        .addVariables(
            Environment.Variable.newBuilder()
                .setName("TOKEN")
                .setType(Environment.Variable.Type.SECRET)
                .setSecret(
                    Secret.newBuilder()
                        .setType(Secret.Type.VALUE)
                        .setValue(
                            Secret.Value.newBuilder()
                                .setData(ByteString.copyFromUtf8("hush hush")))))
        .addVariables(Environment.Variable.newBuilder().setName("OPEN").setValue("word"));
    launch(lastOffer(), task);
    assertThat(ended("secret").getMessage()).isEqualTo("Command exited with status 5");
  }

  @Test
  void aBinaryThatIsNotThereExitsWithOne() {
    launch(
        lastOffer(),
        task("notfound", "")
            .setCommand(CommandInfo.newBuilder().setShell(false).setValue("/no/such/binary")));
    assertThat(ended("notfound").getMessage()).isEqualTo("Command exited with status 1");
  }

  @Test
  void moreThanTheOfferHoldsIsAnError() {
    Resources room = TestBlocks.scalars(lastOffer().getResourcesList());
    launch(
        lastOffer(),
        task("too-big", "true")
            .clearResources()
            .addAllResources(MesosResources.list(new Resources(1000, 32, 0), "*")));
    TaskStatus last = ended("too-big");
    assertThat(last.getState()).isEqualTo(TaskState.TASK_ERROR);
    assertThat(last.getReason()).isEqualTo(TaskStatus.Reason.REASON_TASK_INVALID);
    assertThat(last.getMessage())
        .startsWith(
            "Total resources cpus(allocated: *):1000; mem(allocated: *):32 required by task and"
                + " its executor is more than available ")
        .contains("cpus(allocated: *):" + (int) room.cpus(), "mem(allocated: *):");
    assertThat(last.hasUuid()).isFalse();
  }

  @Test
  void anOfferUsedTwiceDropsTheTask() {
    Offer offer = lastOffer();
    launch(offer, task("one", "true"));
    launch(offer, task("stale", "true"));
    TaskStatus last = ended("stale");
    assertThat(last.getState()).isEqualTo(TaskState.TASK_DROPPED);
    assertThat(last.getReason()).isEqualTo(TaskStatus.Reason.REASON_INVALID_OFFERS);
    assertThat(last.getMessage())
        .isEqualTo(
            "Task launched with invalid offers: Offer "
                + offer.getId().getValue()
                + " is no longer valid");
    ended("one");
  }

  @Test
  void aDeadlineEndsTheTaskWithItsReason() {
    launch(
        lastOffer(),
        task("deadline", "sleep 60")
            .setMaxCompletionTime(DurationInfo.newBuilder().setNanoseconds(1_000_000_000L)));
    TaskStatus last = ended("deadline");
    assertThat(last.getState()).isEqualTo(TaskState.TASK_FAILED);
    assertThat(last.getReason()).isEqualTo(TaskStatus.Reason.REASON_MAX_COMPLETION_TIME_REACHED);
    assertThat(last.getMessage()).isEqualTo("Command terminated with signal Terminated");
  }

  @Test
  void aKillTakesTheWholeGroupAfterTheGracePeriod() throws Exception {
    Path child = directory.resolve("child");
    launch(
        lastOffer(),
        task(
                "stubborn",
                "trap '' TERM; sleep 300 & echo $! > " + child + "; sleep 300 & wait; sleep 300")
            .setKillPolicy(
                KillPolicy.newBuilder()
                    .setGracePeriod(DurationInfo.newBuilder().setNanoseconds(200_000_000L))));
    await().atMost(LONG).until(() -> Files.exists(child) && !Files.readString(child).isBlank());
    long pid = Long.parseLong(Files.readString(child).trim());
    kill("stubborn");
    TaskStatus last = ended("stubborn");
    assertThat(states("stubborn"))
        .containsExactly(
            TaskState.TASK_STARTING,
            TaskState.TASK_RUNNING,
            TaskState.TASK_KILLING,
            TaskState.TASK_KILLED);
    assertThat(last.getMessage()).isEqualTo("Command terminated with signal Killed");
    await().until(() -> ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty());
  }

  @Test
  void aKillOfAnUnknownTaskIsAnsweredByReconciliation() {
    kill("never-existed");
    TaskStatus last = ended("never-existed");
    assertThat(last.getState()).isEqualTo(TaskState.TASK_UNKNOWN);
    assertThat(last.getMessage()).isEqualTo("Reconciliation: Task is unknown");
    assertThat(last.hasUuid()).isFalse();
  }

  @Test
  void theNextUpdateWaitsForTheAcknowledgement() {
    subscriber.acknowledges = false;
    Offer used = lastOffer();
    launch(used, task("unheard", "true"));
    await().atMost(LONG).until(() -> !subscriber.of("unheard").isEmpty());
    await().atMost(LONG).until(() -> !lastOffer().equals(used));
    launch(lastOffer(), task("later", "true"));
    await().atMost(LONG).until(() -> !subscriber.of("later").isEmpty());
    assertThat(states("unheard")).containsExactly(TaskState.TASK_STARTING);
  }

  @Test
  void resourcesComeBackOnceTheTaskHasEnded() {
    Resources all = TestBlocks.scalars(lastOffer().getResourcesList());
    launch(lastOffer(), task("a", "true"), task("b", "exit 1"));
    ended("a");
    ended("b");
    await().atMost(LONG).until(() -> offersAfterDecliningAll().equals(all));
  }

  /** What the next offer has once all that was offered was declined. */
  private Resources offersAfterDecliningAll() {
    Call.Decline.Builder all =
        Call.Decline.newBuilder().setFilters(Filters.newBuilder().setRefuseSeconds(0));
    subscriber.offers().forEach(offer -> all.addOfferIds(offer.getId()));
    int before = subscriber.offers().size();
    mesos.send(
        Call.newBuilder()
            .setType(Call.Type.DECLINE)
            .setFrameworkId(subscriber.id)
            .setDecline(all)
            .build());
    call(Call.Type.REVIVE).join();
    await().atMost(LONG).until(() -> subscriber.offers().size() > before);
    return TestBlocks.scalars(lastOffer().getResourcesList());
  }

  @Test
  void whatIsWrittenIsReadByteForByte() throws Exception {
    Offer offer = lastOffer();
    launch(
        offer,
        task(
            "bytes",
            "i=0; while [ $i -lt 1000 ]; do"
                + " printf '%s\\303\\274\\377\\000\\r\\033[0m\\n' \"$i\"; i=$((i+1)); done;"
                + " head -c 300000 /dev/zero; printf end"));
    ended("bytes");
    java.io.ByteArrayOutputStream expected = new java.io.ByteArrayOutputStream();
    for (int n = 0; n < 1000; n++) {
      expected.write((n + "ü").getBytes(StandardCharsets.UTF_8));
      expected.write(new byte[] {(byte) 0xff, 0, '\r', 0x1b, '[', '0', 'm', '\n'});
    }
    expected.write(new byte[300_000]);
    expected.write("end".getBytes(StandardCharsets.UTF_8));
    Sandbox sandbox = sandbox(offer, "bytes");
    assertThat(sandbox.size("stdout")).isEqualTo(expected.size());
    assertThat(sandbox.read("stdout", 0, 1 << 20)).isEqualTo(expected.toByteArray());
    assertThat(sandbox.read("stdout", expected.size() - 3, 100)).asString().isEqualTo("end");
    assertThat(sandbox.read("stdout", expected.size() + 10, 100)).isEmpty();
    assertThat(sandbox.read("no-such-file", 0, 100)).isEmpty();
    assertThat(sandbox.list("")).extracting(Sandbox.Entry::path).contains("stdout", "stderr");
  }

  @Test
  void aTaskIsReconciledWithoutAnAcknowledgement() {
    launch(lastOffer(), task("asked-for", "sleep 300"));
    await().atMost(LONG).until(() -> states("asked-for").contains(TaskState.TASK_RUNNING));
    for (List<String> asked : List.of(List.of("asked-for", "unheard-of"), List.<String>of())) {
      int before = subscriber.of("asked-for").size();
      Call.Reconcile.Builder reconcile = Call.Reconcile.newBuilder();
      asked.forEach(
          id ->
              reconcile.addTasks(
                  Call.Reconcile.Task.newBuilder().setTaskId(TaskID.newBuilder().setValue(id))));
      mesos.send(
          Call.newBuilder()
              .setType(Call.Type.RECONCILE)
              .setFrameworkId(subscriber.id)
              .setReconcile(reconcile)
              .build());
      await().atMost(LONG).until(() -> subscriber.of("asked-for").size() > before);
      TaskStatus answer = subscriber.of("asked-for").get(before);
      assertThat(answer.getState()).isEqualTo(TaskState.TASK_RUNNING);
      assertThat(answer.getReason()).isEqualTo(TaskStatus.Reason.REASON_RECONCILIATION);
      assertThat(answer.getMessage()).isEqualTo("Reconciliation: Latest task state");
      assertThat(answer.hasUuid()).isFalse();
    }
    assertThat(ended("unheard-of").getState()).isEqualTo(TaskState.TASK_UNKNOWN);
  }

  /** As in the recording reconcile.jsonl. */
  @Test
  void aTaskNobodyLaunchedIsGoneFromARegisteredAgentAndElseUnknown() {
    AgentID agent = lastOffer().getAgentId();
    AgentID other = AgentID.newBuilder().setValue("no-such-agent-S7").build();
    for (Optional<AgentID> named :
        List.of(Optional.<AgentID>empty(), Optional.of(other), Optional.of(agent))) {
      String id = "never-launched-" + named.map(AgentID::getValue).orElse("");
      Call.Reconcile.Task.Builder task =
          Call.Reconcile.Task.newBuilder().setTaskId(TaskID.newBuilder().setValue(id));
      named.ifPresent(task::setAgentId);
      mesos.send(
          Call.newBuilder()
              .setType(Call.Type.RECONCILE)
              .setFrameworkId(subscriber.id)
              .setReconcile(Call.Reconcile.newBuilder().addTasks(task))
              .build());
      await().atMost(LONG).until(() -> !subscriber.of(id).isEmpty());
      TaskStatus answer = subscriber.of(id).get(0);
      boolean registered = named.equals(Optional.of(agent));
      assertThat(answer.getState())
          .isEqualTo(registered ? TaskState.TASK_GONE : TaskState.TASK_UNKNOWN);
      assertThat(answer.getMessage())
          .isEqualTo(
              registered
                  ? "Reconciliation: Task is unknown to the agent"
                  : "Reconciliation: Task is unknown");
      assertThat(answer.getReason()).isEqualTo(TaskStatus.Reason.REASON_RECONCILIATION);
      assertThat(answer.getSource()).isEqualTo(TaskStatus.Source.SOURCE_MASTER);
      assertThat(answer.hasUuid()).isFalse();
    }
  }

  private TaskInfo.Builder withPorts(String id, String command, int first, int last) {
    return task(id, command)
        .clearResources()
        .addAllResources(
            MesosResources.list(
                new AvailableResources(
                    new Resources(0.1, 32, 0), Ports.of(List.of(new Ports.Range(first, last)))),
                "*"));
  }

  @Test
  void aPortIsHadByOneTaskAtATime() {
    Offer offer = lastOffer();
    Ports all = TestBlocks.ports(offer.getResourcesList());
    int first = all.ranges().get(0).first();
    launch(
        offer,
        withPorts("has-them", "sleep 300", first, first + 1),
        withPorts("wants-them", "true", first + 1, first + 1));
    TaskStatus refused = ended("wants-them");
    assertThat(refused.getState()).isEqualTo(TaskState.TASK_ERROR);
    assertThat(refused.getMessage())
        .contains("ports(allocated: *):[" + (first + 1) + "-" + (first + 1) + "]");
    await().atMost(LONG).until(() -> !lastOffer().equals(offer));
    assertThat(TestBlocks.ports(lastOffer().getResourcesList()))
        .isEqualTo(all.minus(Ports.of(List.of(new Ports.Range(first, first + 1)))));
    kill("has-them");
    ended("has-them");
    await()
        .atMost(LONG)
        .until(
            () -> {
              offersAfterDecliningAll();
              return TestBlocks.ports(lastOffer().getResourcesList()).equals(all);
            });
  }

  @Test
  void twoHundredTasksOnOneOffer() {
    TaskInfo.Builder[] tasks =
        IntStream.range(0, 200)
            .mapToObj(
                n ->
                    task("many-" + n, "exit " + n % 2)
                        .clearResources()
                        .addAllResources(MesosResources.list(new Resources(0.01, 32, 0), "*")))
            .toArray(TaskInfo.Builder[]::new);
    launch(lastOffer(), tasks);
    for (int n = 0; n < 200; n++) {
      TaskStatus last = ended("many-" + n);
      assertThat(last.getState())
          .describedAs(last.getMessage())
          .isEqualTo(n % 2 == 0 ? TaskState.TASK_FINISHED : TaskState.TASK_FAILED);
    }
  }

  @Test
  void tasksOutliveTheClusterAndAreFoundAgain() throws Exception {
    Offer offer = lastOffer();
    launch(offer, task("kept", "echo begun; sleep 1; echo ended; exit 4"));
    await().atMost(LONG).until(() -> states("kept").contains(TaskState.TASK_RUNNING));
    mesos.close();
    Subscriber second = new Subscriber(subscriber.id);
    mesos = begin(second);
    subscriber = second;
    TaskStatus last = ended("kept");
    assertThat(last.getMessage()).isEqualTo("Command exited with status 4");
    assertThat(sandbox(offer, "kept").read("stdout", 0, 100))
        .asString()
        .isEqualTo("begun\nended\n");
  }
}

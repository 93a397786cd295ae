// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.apache.mesos.v1.Protos.DurationInfo;
import org.apache.mesos.v1.Protos.Filters;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.FrameworkInfo;
import org.apache.mesos.v1.Protos.KillPolicy;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.TaskID;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.apache.mesos.v1.Protos.TaskState;
import org.apache.mesos.v1.Protos.TaskStatus;
import org.apache.mesos.v1.scheduler.Mesos;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.obmesos.driver.MesosResources;
import org.obmesos.driver.SchedulerDriver;
import org.obmesos.local.LocalFiles;
import org.obmesos.task.Resources;

/** What every cluster does, as recordings of a real one have it. */
abstract class ConformanceTest {
  @TempDir Path directory;
  private Subscriber subscriber;
  private SchedulerDriver mesos;

  /** A driver, not started yet, to a cluster of 8 cpus that works in the directory. */
  abstract SchedulerDriver connect(Scheduler scheduler) throws Exception;

  /** Subscribes, keeps what it hears, and acknowledges as it should. */
  private static final class Subscriber implements Scheduler {
    private final List<Event> events = new CopyOnWriteArrayList<>();
    private volatile FrameworkID id = FrameworkID.getDefaultInstance();
    private volatile boolean acknowledges = true;

    @Override
    public void connected(Mesos mesos) {
      mesos.send(
          Call.newBuilder()
              .setType(Call.Type.SUBSCRIBE)
              .setSubscribe(
                  Call.Subscribe.newBuilder()
                      .setFrameworkInfo(FrameworkInfo.newBuilder().setName("test").setUser("test")))
              .build());
    }

    @Override
    public void disconnected(Mesos mesos) {}

    @Override
    public void received(Mesos mesos, Event event) {
      events.add(event);
      if (event.getType() == Event.Type.SUBSCRIBED) {
        id = event.getSubscribed().getFrameworkId();
      }
      TaskStatus status = event.getUpdate().getStatus();
      if (acknowledges && status.hasUuid()) {
        mesos.send(
            Call.newBuilder()
                .setType(Call.Type.ACKNOWLEDGE)
                .setFrameworkId(id)
                .setAcknowledge(
                    Call.Acknowledge.newBuilder()
                        .setAgentId(status.getAgentId())
                        .setTaskId(status.getTaskId())
                        .setUuid(status.getUuid()))
                .build());
      }
    }

    List<TaskStatus> of(String task) {
      return events.stream()
          .filter(event -> event.getType() == Event.Type.UPDATE)
          .map(event -> event.getUpdate().getStatus())
          .filter(status -> status.getTaskId().getValue().equals(task))
          .toList();
    }

    List<Offer> offers() {
      return events.stream().flatMap(event -> event.getOffers().getOffersList().stream()).toList();
    }
  }

  @BeforeEach
  void start() throws Exception {
    subscriber = new Subscriber();
    mesos = begin(subscriber);
  }

  private SchedulerDriver begin(Subscriber with) throws Exception {
    SchedulerDriver cluster = connect(with);
    cluster.start();
    await().until(() -> !with.offers().isEmpty());
    return cluster;
  }

  @AfterEach
  void stop() {
    mesos.close();
  }

  private static TaskInfo.Builder task(String id, String command) {
    return TaskInfo.newBuilder()
        .setName(id)
        .setTaskId(TaskID.newBuilder().setValue(id))
        .setAgentId(AgentID.newBuilder().setValue("set on launch"))
        .addAllResources(MesosResources.list(new Resources(0.1, 32, 0), "*"))
        .setCommand(CommandInfo.newBuilder().setShell(true).setValue(command));
  }

  private void launch(Offer offer, TaskInfo.Builder... tasks) {
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

  private Offer lastOffer() {
    List<Offer> offers = subscriber.offers();
    return offers.get(offers.size() - 1);
  }

  private TaskStatus ended(String task) {
    await()
        .atMost(Duration.ofSeconds(20))
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

  private void kill(String task) {
    mesos.send(
        Call.newBuilder()
            .setType(Call.Type.KILL)
            .setFrameworkId(subscriber.id)
            .setKill(Call.Kill.newBuilder().setTaskId(TaskID.newBuilder().setValue(task)))
            .build());
  }

  private List<TaskState> states(String task) {
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
  void aBinaryThatIsNotThereExitsWithOne() {
    launch(
        lastOffer(),
        task("notfound", "")
            .setCommand(CommandInfo.newBuilder().setShell(false).setValue("/no/such/binary")));
    assertThat(ended("notfound").getMessage()).isEqualTo("Command exited with status 1");
  }

  @Test
  void moreThanTheOfferHoldsIsAnError() {
    launch(
        lastOffer(),
        task("too-big", "true")
            .clearResources()
            .addAllResources(MesosResources.list(new Resources(1000, 32, 0), "*")));
    TaskStatus last = ended("too-big");
    assertThat(last.getState()).isEqualTo(TaskState.TASK_ERROR);
    assertThat(last.getReason()).isEqualTo(TaskStatus.Reason.REASON_TASK_INVALID);
    assertThat(last.getMessage())
        .isEqualTo(
            "Total resources cpus(allocated: *):1000; mem(allocated: *):32 required by task and"
                + " its executor is more than available cpus(allocated: *):8;"
                + " mem(allocated: *):8192; disk(allocated: *):16384");
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
    launch(
        lastOffer(),
        task("stubborn", "trap '' TERM; sleep 300 & echo $! > child; sleep 300 & wait; sleep 300")
            .setKillPolicy(
                KillPolicy.newBuilder()
                    .setGracePeriod(DurationInfo.newBuilder().setNanoseconds(200_000_000L))));
    Path child =
        LocalFiles.sandbox(directory, subscriber.id.getValue(), "stubborn").resolve("child");
    await().until(() -> Files.exists(child) && !Files.readString(child).isBlank());
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
    launch(lastOffer(), task("unheard", "true"));
    await().until(() -> !subscriber.of("unheard").isEmpty());
    launch(lastOffer(), task("later", "true"));
    await().until(() -> !subscriber.of("later").isEmpty());
    assertThat(states("unheard")).containsExactly(TaskState.TASK_STARTING);
  }

  @Test
  void resourcesComeBackOnceTheTaskHasEnded() {
    launch(lastOffer(), task("a", "true"), task("b", "exit 1"));
    ended("a");
    ended("b");
    Call.Decline.Builder all =
        Call.Decline.newBuilder().setFilters(Filters.newBuilder().setRefuseSeconds(0));
    subscriber.offers().forEach(offer -> all.addOfferIds(offer.getId()));
    mesos.send(
        Call.newBuilder()
            .setType(Call.Type.DECLINE)
            .setFrameworkId(subscriber.id)
            .setDecline(all)
            .build());
    int before = subscriber.offers().size();
    mesos.send(Call.newBuilder().setType(Call.Type.REVIVE).setFrameworkId(subscriber.id).build());
    await().until(() -> subscriber.offers().size() > before);
    assertThat(lastOffer().getResourcesList())
        .isEqualTo(MesosResources.list(new Resources(8, 8192, 16384), "*"));
  }

  @Test
  void tasksOutliveTheClusterAndAreFoundAgain() throws Exception {
    launch(lastOffer(), task("kept", "echo begun; sleep 1; echo ended; exit 4"));
    await().until(() -> states("kept").contains(TaskState.TASK_RUNNING));
    mesos.close();
    Subscriber second = new Subscriber();
    mesos = begin(second);
    subscriber = second;
    TaskStatus last = ended("kept");
    assertThat(last.getMessage()).isEqualTo("Command exited with status 4");
    Optional<Path> stdout;
    try (var files = Files.walk(directory)) {
      stdout = files.filter(file -> file.endsWith("stdout")).findFirst();
    }
    assertThat(Files.readString(stdout.orElseThrow())).isEqualTo("begun\nended\n");
  }
}

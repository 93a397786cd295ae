// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.mesos.v1.Protos;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.obmesos.cluster.TestBlocks;
import org.obmesos.scheduler.TaskStateMachine.Transition;
import org.obmesos.task.LaunchState;
import org.obmesos.task.Retry;
import org.obmesos.task.Task;
import org.obmesos.task.TaskLocation;
import org.obmesos.task.TaskResult;
import org.obmesos.task.TaskState;
import org.obmesos.task.TaskStatus;
import org.obmesos.task.Usage;

final class TaskStateMachineTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
  private static final TaskLocation LOCATION =
      new TaskLocation("framework", "agent", "host", "http://host:5051", List.of(), "");
  private static final TaskResult RESULT = new TaskResult("out", 3, false, "");

  private static Task task(String state, Retry retry) {
    Task queued = Task.submitted(1, TestBlocks.retrying(TestBlocks.of("t", "true"), retry), NOON);
    String name = state.replace("!", "");
    Task task =
        name.equals("QUEUED")
            ? queued
            : queued
                .with(LaunchState.NONE.at(LOCATION))
                .with(TaskStatus.of(TaskState.valueOf(name), ""), NOON);
    return state.endsWith("!") ? task.with(task.launch().kill()) : task;
  }

  private static Protos.TaskStatus mesos() {
    return Protos.TaskStatus.newBuilder()
        .setTaskId(Protos.TaskID.newBuilder().setValue("t"))
        .setState(Protos.TaskState.TASK_RUNNING)
        .setUuid(ByteString.copyFromUtf8("0123456789abcdef"))
        .build();
  }

  private static TaskEvent event(String name) {
    return switch (name) {
      case "launch" -> new TaskEvent.Launch(LOCATION, Optional.empty());
      case "reject" -> new TaskEvent.Reject("never");
      case "refused" -> new TaskEvent.LaunchRefused("no");
      case "kill" -> new TaskEvent.Kill();
      case "removed" -> new TaskEvent.FrameworkRemoved("Framework has been removed");
      case "read" ->
          new TaskEvent.OutputRead(
              TaskStatus.of(TaskState.FINISHED, "done"), RESULT, Optional.of(mesos()));
      default -> status(name);
    };
  }

  /** "FINISHED" is an update of the agent, "reconciled GONE" the answer to a reconciliation. */
  private static TaskEvent status(String name) {
    boolean reconciled = name.startsWith("reconciled ");
    TaskState state = TaskState.valueOf(name.replace("reconciled ", ""));
    return new TaskEvent.StatusUpdate(
        new TaskStatus(
            state,
            reconciled ? "REASON_RECONCILIATION" : "",
            state == TaskState.RUNNING ? "" : "said",
            "SOURCE_MASTER"),
        reconciled ? Optional.empty() : Optional.of(mesos()),
        Usage.UNKNOWN,
        Optional.empty());
  }

  private static String effects(List<Effect> effects) {
    return effects.stream()
        .map(effect -> effect.getClass().getSimpleName().toLowerCase(Locale.ROOT))
        .collect(Collectors.joining(" "));
  }

  /** State (with ! if a kill was requested), event, next state, effects. */
  @ParameterizedTest(name = "{0} -- {1} --> {2}")
  @CsvSource({
    "QUEUED,      launch,             STAGING,     notify",
    "QUEUED,      reject,             ERROR,       end",
    "QUEUED,      kill,               KILLED,      end",
    "QUEUED,      refused,            QUEUED,      ''",
    "QUEUED,      removed,            QUEUED,      ''",
    "QUEUED,      RUNNING,            QUEUED,      ''",
    "STAGING,     launch,             STAGING,     ''",
    "STAGING,     STARTING,           STARTING,    acknowledge notify",
    "STAGING,     RUNNING,            RUNNING,     acknowledge notify followoutput",
    "STAGING,     STAGING,            STAGING,     acknowledge",
    "STAGING,     FINISHED,           STAGING,     readoutput",
    "STAGING,     FAILED,             STAGING,     readoutput",
    "STAGING,     ERROR,              STAGING,     readoutput",
    "STAGING,     DROPPED,            QUEUED,      acknowledge notify requeue",
    "STAGING,     refused,            QUEUED,      notify requeue",
    "STAGING,     reconciled GONE,    QUEUED,      notify requeue",
    "STAGING,     reconciled UNKNOWN, QUEUED,      notify requeue",
    "STAGING,     reconciled LOST,    QUEUED,      notify requeue",
    "STAGING,     reconciled DROPPED, QUEUED,      notify requeue",
    "STAGING,     reconciled STAGING, STAGING,     ''",
    "STAGING,     GONE,               STAGING,     readoutput",
    "STAGING!,    reconciled GONE,    KILLED,      end",
    "STAGING!,    DROPPED,            KILLED,      acknowledge end",
    "STAGING,     kill,               STAGING,     sendkill",
    "STAGING,     removed,            STAGING,     readoutput",
    "STARTING,    DROPPED,            QUEUED,      acknowledge notify requeue",
    "STARTING,    reconciled GONE,    STARTING,    readoutput",
    "STARTING,    refused,            STARTING,    ''",
    "RUNNING,     RUNNING,            RUNNING,     acknowledge followoutput",
    "RUNNING,     FINISHED,           RUNNING,     readoutput",
    "RUNNING,     reconciled RUNNING, RUNNING,     followoutput",
    "RUNNING,     reconciled GONE,    RUNNING,     readoutput",
    "RUNNING,     reconciled UNKNOWN, RUNNING,     readoutput",
    "RUNNING,     UNREACHABLE,        UNREACHABLE, acknowledge notify",
    "RUNNING,     KILLING,            KILLING,     acknowledge notify",
    "RUNNING,     refused,            RUNNING,     ''",
    "RUNNING,     kill,               RUNNING,     sendkill",
    "RUNNING,     read,               FINISHED,    acknowledge end",
    "UNREACHABLE, RUNNING,            RUNNING,     acknowledge notify followoutput",
    "UNREACHABLE, kill,               UNREACHABLE, sendkill readoutput",
    "KILLING,     KILLED,             KILLING,     readoutput",
    "FINISHED,    FINISHED,           FINISHED,    acknowledge",
    "FINISHED,    reconciled GONE,    FINISHED,    ''",
    "FINISHED,    kill,               FINISHED,    ''",
    "FINISHED,    removed,            FINISHED,    ''",
    "FINISHED,    read,               FINISHED,    ''",
    "KILLED,      launch,             KILLED,      ''",
  })
  void anEventGivesTheNextStateAndTheEffects(
      String state, String event, TaskState next, String effects) {
    Transition transition =
        TaskStateMachine.transition(task(state, Retry.NONE), event(event), NOON);
    assertThat(transition.task().state()).isEqualTo(next);
    assertThat(effects(transition.effects())).isEqualTo(effects);
    assertThat(transition.result().isPresent())
        .isEqualTo(next.isTerminal() && effects.endsWith("end"));
  }

  @ParameterizedTest
  @EnumSource
  void noEventLeavesATerminalState(TaskState state) {
    if (!state.isTerminal()) {
      return;
    }
    Task ended = task(state.name(), Retry.NONE);
    for (String event : List.of("launch", "reject", "refused", "kill", "removed", "read")) {
      Transition transition = TaskStateMachine.transition(ended, event(event), NOON);
      assertThat(transition.task()).isEqualTo(ended);
      assertThat(transition.effects()).isEmpty();
    }
    for (TaskState said : TaskState.values()) {
      assertThat(TaskStateMachine.transition(ended, event(said.name()), NOON).task())
          .isEqualTo(ended);
    }
  }

  @Test
  void aLaunchThatDoesNotStartIsMadeAgainUnderAnotherIdAndNotForEver() {
    Task task = task("STAGING", Retry.NONE);
    for (int launch = 1; launch < TaskStateMachine.MAX_LAUNCHES; launch++) {
      Task queued = TaskStateMachine.transition(task, event("DROPPED"), NOON).task();
      assertThat(queued.state()).isEqualTo(TaskState.QUEUED);
      assertThat(queued.launch().runs()).isZero();
      task = TaskStateMachine.transition(queued, event("launch"), NOON).task();
      assertThat(task.mesosTaskId()).isEqualTo("t." + launch);
    }
    for (String answer : List.of("DROPPED", "reconciled UNKNOWN", "reconciled GONE")) {
      Transition last = TaskStateMachine.transition(task, event(answer), NOON);
      assertThat(last.task().state()).isEqualTo(TaskState.DROPPED);
      assertThat(last.task().status().message()).isEqualTo("said");
    }
  }

  @Test
  void aTaskWaitsForAnAgentThatIsDrainingHoweverLongThatTakes() {
    TaskEvent draining =
        new TaskEvent.StatusUpdate(
            new TaskStatus(TaskState.DROPPED, "REASON_AGENT_DRAINING", "draining", "SOURCE_AGENT"),
            Optional.of(mesos()),
            Usage.UNKNOWN,
            Optional.empty());
    Task task = task("STAGING", Retry.NONE);
    for (int launch = 0; launch < 2 * TaskStateMachine.MAX_LAUNCHES; launch++) {
      Transition dropped = TaskStateMachine.transition(task, draining, NOON);
      assertThat(dropped.task().state()).isEqualTo(TaskState.QUEUED);
      assertThat(dropped.effects())
          .contains(new Effect.Requeue(dropped.task(), Duration.ofSeconds(10)));
      task = TaskStateMachine.transition(dropped.task(), event("launch"), NOON).task();
    }
  }

  @Test
  void aRunThatFailsIsRepeatedAsOftenAsTheBlockSaysAndNotAfterAKill() {
    Retry twice = new Retry(2, Duration.ofSeconds(3), Retry.Ensure.NOTHING);
    Transition again = TaskStateMachine.transition(task("RUNNING", twice), event("FAILED"), NOON);
    assertThat(again.task().state()).isEqualTo(TaskState.QUEUED);
    assertThat(again.task().launch().runs()).isEqualTo(1);
    assertThat(effects(again.effects())).isEqualTo("acknowledge unfollowoutput notify requeue");
    assertThat(again.effects().get(3))
        .isEqualTo(new Effect.Requeue(again.task(), Duration.ofSeconds(3)));
    Task second = TaskStateMachine.transition(again.task(), event("launch"), NOON).task();
    assertThat(effects(TaskStateMachine.transition(second, event("FAILED"), NOON).effects()))
        .isEqualTo("readoutput");
    assertThat(
            effects(
                TaskStateMachine.transition(task("RUNNING!", twice), event("FAILED"), NOON)
                    .effects()))
        .isEqualTo("readoutput");
  }

  @Test
  void aTaskThatIsKilledForItsMemoryRunsAgainWithTwiceAsMuchUpToItsLimit() {
    Retry growing = new Retry(1, Duration.ofSeconds(1), Retry.Ensure.NOTHING, Duration.ZERO, 100);
    Task task = task("QUEUED", growing);
    for (double memory : List.of(32.0, 64.0, 100.0)) {
      task = outOfMemory(after(task, "launch", "RUNNING")).task();
      assertThat(task.state()).isEqualTo(TaskState.QUEUED);
      assertThat(task.block().resources().memMiB()).isEqualTo(memory);
      assertThat(task.launch().runs()).isZero();
    }
    assertThat(task.status().message())
        .isEqualTo("Killed for its memory, 64 MiB; it runs again with 100 MiB");
    assertThat(effects(outOfMemory(after(task, "launch", "RUNNING")).effects()))
        .isEqualTo("readoutput");
    assertThat(effects(outOfMemory(task("RUNNING", Retry.NONE)).effects())).isEqualTo("readoutput");
    assertThat(effects(outOfMemory(task("RUNNING!", growing)).effects())).isEqualTo("readoutput");
  }

  private static Transition outOfMemory(Task task) {
    TaskStatus status =
        new TaskStatus(
            TaskState.FAILED,
            "REASON_CONTAINER_LIMITATION_MEMORY",
            "Memory limit exceeded",
            "SOURCE_AGENT");
    return TaskStateMachine.transition(
        task,
        new TaskEvent.StatusUpdate(status, Optional.of(mesos()), Usage.UNKNOWN, Optional.empty()),
        NOON);
  }

  @Test
  void onlyAnAgentThatIsThereIsWaitedForWhenItsOutputIsRead() {
    for (String end : List.of("FINISHED", "FAILED", "KILLED")) {
      assertThat(readsPatiently("RUNNING", end)).as(end).isTrue();
    }
    for (String end : List.of("GONE", "LOST", "GONE_BY_OPERATOR", "reconciled UNKNOWN")) {
      assertThat(readsPatiently("RUNNING", end)).as(end).isFalse();
    }
    assertThat(readsPatiently("UNREACHABLE", "FINISHED")).isFalse();
  }

  @Test
  void whatWouldRunAgainEndsKilledIfItsRunEndsBeforeTheKillReachesIt() {
    Retry forever = new Retry(1, Duration.ZERO, Retry.Ensure.IT_KEEPS_RUNNING);
    Effect.ReadOutput read =
        (Effect.ReadOutput)
            TaskStateMachine.transition(task("RUNNING!", forever), event("FINISHED"), NOON)
                .effects()
                .get(0);
    assertThat(read.status().state()).isEqualTo(TaskState.KILLED);
  }

  private static boolean readsPatiently(String state, String event) {
    return TaskStateMachine.transition(task(state, Retry.NONE), event(event), NOON)
        .effects()
        .stream()
        .filter(Effect.ReadOutput.class::isInstance)
        .allMatch(effect -> ((Effect.ReadOutput) effect).agentAlive());
  }

  @Test
  void onlyLaunchesInARowThatDoNotStartATaskAreCounted() {
    Retry forever = new Retry(1, Duration.ZERO, Retry.Ensure.IT_FINISHES);
    Task task = task("QUEUED", forever);
    for (int round = 0; round < 3; round++) {
      for (int launch = 1; launch < TaskStateMachine.MAX_LAUNCHES; launch++) {
        task = after(task, "launch", "reconciled UNKNOWN");
        assertThat(task.state()).isEqualTo(TaskState.QUEUED);
      }
      task = after(task, "launch", "RUNNING", "FAILED");
      assertThat(task.state()).isEqualTo(TaskState.QUEUED);
    }
  }

  private static Task after(Task task, String... events) {
    Task now = task;
    for (String event : events) {
      now = TaskStateMachine.transition(now, event(event), NOON).task();
    }
    return now;
  }

  @Test
  void aTaskThatRunsAgainSaysWhy() {
    Retry thrice = new Retry(3, Duration.ZERO, Retry.Ensure.NOTHING);
    Task task = after(task("RUNNING", thrice), "FAILED");
    assertThat(task.status().message()).isEqualTo("Run 1 of 3 FAILED: said; it runs again");
    assertThat(after(task, "launch", "RUNNING", "FAILED").status().message())
        .isEqualTo("Run 2 of 3 FAILED: said; it runs again");
    Retry service = new Retry(1, Duration.ZERO, Retry.Ensure.IT_KEEPS_RUNNING);
    assertThat(after(task("RUNNING", service), "FINISHED").status().message())
        .isEqualTo("Run 1 FINISHED: said; it runs again");
  }

  @Test
  void aTaskTheMasterDoesNotKnowAlthoughItRanIsLost() {
    Effect.ReadOutput read =
        (Effect.ReadOutput)
            TaskStateMachine.transition(
                    task("RUNNING", Retry.NONE), event("reconciled UNKNOWN"), NOON)
                .effects()
                .get(0);
    assertThat(read.status().state()).isEqualTo(TaskState.LOST);
  }
}

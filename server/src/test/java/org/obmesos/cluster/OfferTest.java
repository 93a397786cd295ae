// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.mesos.v1.Protos.FrameworkInfo;
import org.apache.mesos.v1.Protos.TimeInfo;
import org.apache.mesos.v1.Protos.Unavailability;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.junit.jupiter.api.Test;
import org.obmesos.scheduler.Agent;
import org.obmesos.task.Constraint;
import org.obmesos.task.Origin;
import org.obmesos.task.Requirements;
import org.obmesos.task.Resources;
import org.obmesos.task.TaskState;

/** What the framework does with offers: agents, roles, constraints, maintenance. */
final class OfferTest extends FrameworkTests {
  @Test
  void anAgentThatIsGoneIsNotCountedWithAnyMore() throws Exception {
    connect(master.address());
    submit(List.of(block("before", "true")));
    awaitState("before", TaskState.FINISHED);
    String agent = task("before").launch().location().agentId();
    assertThat(framework.agents().join()).extracting(Agent::id).contains(agent);
    master.removeAgent(agent);
    await()
        .atMost(LONG)
        .until(() -> framework.agents().join().stream().noneMatch(each -> each.id().equals(agent)));
  }

  @Test
  void aBlockThatNamesAnAgentWaitsForThatOne() throws Exception {
    connect(master.address());
    submit(List.of(blockFor("no-such-agent", "picky"), block("easy", "true")));
    awaitState("easy", TaskState.FINISHED);
    awaitMessage("picky", message -> message.endsWith(", wants IS no-such-agent"));
    assertThat(task("picky").state()).isEqualTo(TaskState.QUEUED);
    submit(List.of(blockFor(task("easy").launch().location().hostname(), "suited")));
    awaitState("suited", TaskState.FINISHED);
  }

  @Test
  void aRoleIsSubscribedWithWhenABlockWantsIt() throws Exception {
    connect(master.address());
    submit(List.of(block("first", "true")));
    awaitState("first", TaskState.FINISHED);
    Requirements needs =
        new Requirements(new Resources(0.1, 16, 0), List.of(), List.of(), "prod", List.of());
    submit(List.of(TestBlocks.needing(block("prod", "true"), needs)));
    await().atMost(LONG).until(() -> master.calls(Call.Type.SUBSCRIBE).size() == 2);
    assertThat(
            master
                .calls(Call.Type.SUBSCRIBE)
                .get(1)
                .getSubscribe()
                .getFrameworkInfo()
                .getRolesList())
        .containsExactly("*", "prod");
    submit(List.of(block("anybody", "true")));
    awaitState("anybody", TaskState.FINISHED);
    awaitMessage("prod", message -> message.contains("nothing to the role prod"));
  }

  @Test
  void whereNobodyOffersAnythingThatIsSaid() throws Exception {
    master.withholdOffers();
    connect(master.address());
    submit(List.of(block("patient", "true")));
    awaitMessage(
        "patient", message -> message.equals("waits for an offer: no agent has made one yet"));
  }

  @Test
  void whereNoAgentOffersAnythingAnyMoreThatIsSaid() throws Exception {
    connect(master.address());
    submit(List.of(block("first", "true")));
    awaitState("first", TaskState.FINISHED);
    master.withholdOffers();
    submit(List.of(block("patient", "true")));
    awaitMessage(
        "patient", message -> message.equals("waits for an offer: no agent makes one now"));
  }

  @Test
  void whatIsSaidToAnOfferIsRemembered() throws Exception {
    connect(master.address());
    submit(List.of(block("taker", "true"), blockFor("no-such-agent", "picky")));
    awaitState("taker", TaskState.FINISHED);
    await()
        .atMost(LONG)
        .until(
            () ->
                framework.offers().join().stream()
                    .map(note -> note.role() + " " + note.outcome())
                    .toList()
                    .containsAll(List.of("* launched taker", "* declined: no queued task fits")));
  }

  @Test
  void thatAPeerHasEndedMakesRoomForWhatMayNotRunBesideIt() throws Exception {
    connect(master.address());
    Path go = directory.resolve("go");
    String wait = "while [ ! -e " + go + " ]; do sleep 0.05; done";
    Requirements alone =
        new Requirements(
            new Resources(0.1, 16, 0),
            List.of(),
            List.of(),
            "",
            List.of(Constraint.of("hostname", "UNIQUE", "")));
    submit(
        Stream.of("g.0", "g.1")
            .map(id -> TestBlocks.from(TestBlocks.of(id, wait), new Origin("", "", "g", "")))
            .map(block -> TestBlocks.needing(block, alone))
            .toList());
    awaitState("g.0", TaskState.RUNNING);
    await().atMost(LONG).until(() -> task("g.1").status().message().contains("wants UNIQUE"));
    int before = master.calls(Call.Type.REVIVE).size();
    Files.createFile(go);
    awaitState("g.1", TaskState.FINISHED);
    assertThat(master.calls(Call.Type.REVIVE).size()).isGreaterThan(before);
  }

  @Test
  void nothingIsLaunchedOnAnAgentThatIsSoonTakenDown() throws Exception {
    connect(master.address());
    master.maintain(Optional.of(unavailable(Instant.now().plus(Duration.ofMinutes(30)))));
    submit(List.of(block("patient", "true")));
    awaitMessage(
        "patient", message -> message.startsWith("waits for the end of the maintenance of "));
    assertThat(task("patient").state()).isEqualTo(TaskState.QUEUED);
    master.maintain(Optional.of(unavailable(Instant.now().plus(Duration.ofDays(1)))));
    awaitState("patient", TaskState.FINISHED);
  }

  private static Unavailability unavailable(Instant start) {
    return Unavailability.newBuilder()
        .setStart(
            TimeInfo.newBuilder().setNanoseconds(TimeUnit.SECONDS.toNanos(start.getEpochSecond())))
        .build();
  }

  @Test
  void offersOfOneAgentAreUsedTogether() throws Exception {
    master.splitOffers();
    connect(master.address());
    submit(List.of(asking("large", "echo fits", new Resources(6, 64, 0), 1)));
    awaitState("large", TaskState.FINISHED);
    assertThat(master.calls(Call.Type.ACCEPT).get(0).getAccept().getOfferIdsList()).hasSize(2);
  }

  @Test
  void aBlockThatWantsAGpuMakesTheFrameworkSayThatItKnowsThem() throws Exception {
    connect(master.address());
    submit(List.of(asking("gpu", "true", new Resources(1, 64, 0, 2), 1)));
    await()
        .atMost(LONG)
        .until(
            () ->
                master.calls(Call.Type.SUBSCRIBE).stream()
                    .flatMap(
                        call ->
                            call.getSubscribe().getFrameworkInfo().getCapabilitiesList().stream())
                    .anyMatch(
                        known -> known.getType() == FrameworkInfo.Capability.Type.GPU_RESOURCES));
    awaitMessage("gpu", message -> message.endsWith(": gpus: wants 2, largest offer 0"));
    assertThat(task("gpu").state()).isEqualTo(TaskState.QUEUED);
  }
}

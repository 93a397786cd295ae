// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.mesos.v1.Protos.ExecutorID;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.Offer;
import org.junit.jupiter.api.Test;
import org.obmesos.task.Resources;

/** When a shared executor is used again, and when another one is started. */
final class SharedExecutorsTest {
  private static final Allocation AGENT = new Allocation("S", "*");

  private Instant now = Instant.EPOCH;
  private final SharedExecutors executors =
      new SharedExecutors(new TaskRegistry(), new Resources(1, 1024, 0), () -> now);

  /** Starts an executor. */
  private String started() {
    String id = executors.assign(AGENT, List.of());
    executors.info(id, FrameworkID.newBuilder().setValue("F").build(), List.of());
    executors.registered(id);
    return id;
  }

  private static List<Offer> offers(String executor) {
    return List.of(
        Offer.newBuilder()
            .addExecutorIds(ExecutorID.newBuilder().setValue(executor))
            .buildPartial());
  }

  @Test
  void theProgramThatIsSentWithEachTaskIsSmall() {
    assertThat(SharedExecutors.command().getSerializedSize()).isLessThan(16 * 1024);
  }

  @Test
  void anExecutorIsRetiredAfterTwoThousandTasks() {
    String first = started();
    IntStream.range(1, 2000)
        .forEach(n -> assertThat(executors.assign(AGENT, offers(first))).isEqualTo(first));
    assertThat(executors.overhead(AGENT, offers(first))).isEqualTo(SharedExecutors.OVERHEAD);
    String second = executors.assign(AGENT, offers(first));
    assertThat(second).isNotEqualTo(first);
    assertThat(executors.isNew(second)).isTrue();
    assertThat(executors.assign(AGENT, offers(first))).isEqualTo(second);
  }

  @Test
  void anExecutorIsRetiredAfterSixHours() {
    String first = started();
    for (Duration age = Duration.ZERO;
        age.compareTo(Duration.ofHours(6)) < 0;
        age = age.plusSeconds(30)) {
      now = Instant.EPOCH.plus(age);
      assertThat(executors.assign(AGENT, offers(first))).isEqualTo(first);
    }
    now = Instant.EPOCH.plus(Duration.ofHours(6));
    assertThat(executors.assign(AGENT, offers(first))).isNotEqualTo(first);
  }

  @Test
  void anExecutorThatIsAboutToEndGetsNoTask() {
    String first = started();
    now = now.plusSeconds(44);
    assertThat(executors.assign(AGENT, offers(first))).isEqualTo(first);
    now = now.plusSeconds(44);
    executors.taskEnded(first);
    now = now.plusSeconds(44);
    assertThat(executors.assign(AGENT, offers(first))).isEqualTo(first);
    now = now.plusSeconds(46);
    assertThat(executors.assign(AGENT, offers(first))).isNotEqualTo(first);
  }

  @Test
  void anExecutorThatItsAgentDoesNotListAnyMoreGetsNoTask() {
    String first = started();
    assertThat(executors.assign(AGENT, List.of())).isNotEqualTo(first);
  }

  @Test
  void anAgentThatCouldNotStartOneIsTriedAgainAfterAnHour() {
    String id = executors.assign(AGENT, List.of());
    executors.failed(id, "no perl");
    assertThat(executors.isUsable(AGENT)).isFalse();
    now = now.plus(Duration.ofHours(1)).plusSeconds(1);
    assertThat(executors.isUsable(AGENT)).isTrue();
  }
}

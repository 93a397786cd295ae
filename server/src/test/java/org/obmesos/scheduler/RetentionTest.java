// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.obmesos.cluster.TestBlocks;
import org.obmesos.store.EndedTask;
import org.obmesos.task.Origin;
import org.obmesos.task.Requirements;
import org.obmesos.task.Resources;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskState;

final class RetentionTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

  /** One ended task an hour, the last one at noon. */
  private static List<EndedTask> ended(int count, String group) {
    List<EndedTask> tasks = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      tasks.add(
          new EndedTask(
              new TaskId("t" + n),
              n,
              new Origin("", "", group, ""),
              TaskState.FINISHED,
              "",
              NOON.minus(Duration.ofHours(count - 1 - n)),
              ""));
    }
    return tasks;
  }

  @Test
  void theOldestGoFirst() {
    Retention three = new Retention(Duration.ofDays(30), 3);
    assertThat(three.expired(ended(5, ""), List.of(), NOON))
        .containsExactly(new TaskId("t0"), new TaskId("t1"));
    assertThat(three.expired(ended(3, ""), List.of(), NOON)).isEmpty();
  }

  @Test
  void whatIsTooOldGoesWhateverTheirNumber() {
    Retention twoHours = new Retention(Duration.ofMinutes(119), 100);
    assertThat(twoHours.expired(ended(4, ""), List.of(), NOON))
        .containsExactly(new TaskId("t0"), new TaskId("t1"));
  }

  @Test
  void whatALiveTaskDependsOnAndTheMembersOfItsGroupStay() {
    Retention one = new Retention(Duration.ofDays(30), 1);
    Requirements after =
        new Requirements(
            new Resources(0.1, 16, 0), List.of(new TaskId("t1")), List.of(), "", List.of());
    Task dependent = Task.submitted(9, TestBlocks.needing(TestBlocks.of("d", "true"), after), NOON);
    assertThat(one.expired(ended(4, ""), List.of(dependent), NOON))
        .doesNotContain(new TaskId("t1"))
        .contains(new TaskId("t0"));
    Task member =
        Task.submitted(
            9, TestBlocks.from(TestBlocks.of("m", "true"), new Origin("", "", "g", "")), NOON);
    assertThat(one.expired(ended(4, "g"), List.of(member), NOON)).isEmpty();
  }

  @Test
  void nothingToKeepIsNotAllowed() {
    assertThatThrownBy(() -> new Retention(Duration.ZERO, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Retention(Duration.ofDays(1), 0))
        .isInstanceOf(IllegalArgumentException.class);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.obmesos.cluster.Blocks;
import org.obmesos.task.Task;
import org.obmesos.task.TaskState;
import org.obmesos.task.TaskStatus;

final class SecretsTest {
  private final Task task = Task.submitted(1, Blocks.of("b", "true"), Instant.now());
  private final Map<String, String> told = Map.of("TOKEN", "hush");
  private final Secrets secrets = new Secrets();

  @Test
  void theyAreNewsOnce() {
    assertThat(secrets.learn(task.id(), Optional.empty(), told)).isTrue();
    assertThat(secrets.learn(task.id(), Optional.of(task), told)).isFalse();
    assertThat(secrets.of(task)).isEqualTo(told);
  }

  @Test
  void thoseOfATaskThatHasEndedAreNotKept() {
    Task ended = task.with(TaskStatus.of(TaskState.FINISHED, ""), Instant.now());
    assertThat(secrets.learn(task.id(), Optional.of(ended), told)).isFalse();
    assertThat(secrets.of(ended)).isEmpty();
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.obmesos.cluster.TestBlocks;
import org.obmesos.task.Task;

final class SecretsTest {
  private final Task task = Task.submitted(1, TestBlocks.of("b", "true"), Instant.now());
  private final Map<String, String> told = Map.of("TOKEN", "hush");
  private final Secrets secrets = new Secrets();

  @Test
  void putTellsWhetherTheyAreNew() {
    assertThat(secrets.put(task.id(), told)).isTrue();
    assertThat(secrets.put(task.id(), told)).isFalse();
    assertThat(secrets.get(task)).isEqualTo(told);
  }

  @Test
  void theyAreRemovedWithTheirTask() {
    secrets.put(task.id(), told);
    secrets.remove(task.id());
    assertThat(secrets.get(task)).isEmpty();
  }
}

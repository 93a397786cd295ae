// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.obmesos.cluster.TestBlocks;
import org.obmesos.task.Block;
import org.obmesos.task.Requirements;
import org.obmesos.task.Resources;
import org.obmesos.task.Task;

/** What the id of a session's executor says. */
final class SessionsTest {
  private final Sessions sessions = new Sessions(new TaskRegistry(), true);

  /** Returns the resources that the executor of a block gets. */
  private Resources ofExecutor(Resources asked) {
    Block block =
        TestBlocks.needing(
            TestBlocks.of("a", "true"),
            new Requirements(asked, List.of(), List.of(), "", List.of()));
    Task task = Task.submitted(1, TestBlocks.inSession(block, "s"), Instant.EPOCH);
    return Sessions.resources(sessions.assign(task));
  }

  @Test
  void theResourcesOfABlockAreInTheId() {
    assertThat(ofExecutor(new Resources(2, 1024, 0, 1))).isEqualTo(new Resources(1.99, 1023, 0, 1));
    assertThat(ofExecutor(new Resources(0.1, 32, 100_000_000)))
        .isEqualTo(new Resources(0.09, 31, 100_000_000));
    assertThat(ofExecutor(new Resources(0.01, 1, 0))).isEqualTo(new Resources(0.01, 1, 0));
  }
}

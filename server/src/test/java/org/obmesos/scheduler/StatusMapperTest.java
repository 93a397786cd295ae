// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.mesos.v1.Protos;
import org.junit.jupiter.api.Test;

/** What of the agents' messages is passed on. */
final class StatusMapperTest {
  @Test
  void aMemoryLimitIsToldWithoutTheStatisticsOfTheControlGroup() {
    Protos.TaskStatus update =
        Protos.TaskStatus.newBuilder()
            .setTaskId(Protos.TaskID.newBuilder().setValue("t"))
            .setState(Protos.TaskState.TASK_FAILED)
            .setReason(Protos.TaskStatus.Reason.REASON_CONTAINER_LIMITATION_MEMORY)
            // As an agent with the isolator cgroups/mem has sent it.
            .setMessage(
                """
                Memory limit exceeded: Requested: 160MB Maximum Used: 160MB

                MEMORY STATISTICS:\s
                cache 0
                rss 89362432
                """)
            .build();
    assertThat(StatusMapper.status(update).message())
        .isEqualTo("Memory limit exceeded: Requested: 160MB Maximum Used: 160MB");
  }
}

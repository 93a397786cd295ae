// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.Map;
import java.util.Optional;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.junit.jupiter.api.Test;
import org.obmesos.driver.HttpMesos;
import org.obmesos.driver.MasterAddress;
import org.obmesos.driver.MesosHttpClient;
import org.obmesos.driver.SchedulerDriver;
import org.obmesos.sandbox.AgentSandboxes;
import org.obmesos.sandbox.Sandboxes;

/** What every cluster with a master does besides. */
abstract class MasterConformanceTest extends ConformanceTest {
  /** The master's. */
  abstract String address() throws Exception;

  @Override
  SchedulerDriver connect(Scheduler scheduler) throws Exception {
    return HttpMesos.of(
        scheduler,
        MasterAddress.parse(address()),
        MesosHttpClient.of(Optional.empty(), MesosHttpClient.Trust.SYSTEM),
        why -> {});
  }

  @Override
  Sandboxes sandboxes() throws Exception {
    return new AgentSandboxes(
        MesosHttpClient.of(Optional.empty(), MesosHttpClient.Trust.SYSTEM), Map.of());
  }

  @Test
  void whoSubscribesLaterTakesTheFrameworkOver() throws Exception {
    launch(lastOffer(), task("handed-over", "sleep 1; exit 4"));
    await().atMost(LONG).until(() -> !states("handed-over").isEmpty());
    Subscriber first = subscriber;
    SchedulerDriver before = mesos;
    subscriber = new Subscriber(first.id);
    mesos = begin(subscriber);
    await()
        .atMost(LONG)
        .until(
            () ->
                first.events.stream()
                    .anyMatch(
                        event ->
                            event.getType() == Event.Type.ERROR
                                && event.getError().getMessage().equals("Framework failed over")));
    before.close();
    assertThat(ended("handed-over").getMessage()).isEqualTo("Command exited with status 4");
  }
}

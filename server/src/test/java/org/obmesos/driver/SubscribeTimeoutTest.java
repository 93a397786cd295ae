// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.mesos.v1.Protos.FrameworkInfo;
import org.apache.mesos.v1.scheduler.Mesos;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.junit.jupiter.api.Test;

/** A master that accepts connections and never answers. */
final class SubscribeTimeoutTest {
  private static final Call SUBSCRIBE =
      Call.newBuilder()
          .setType(Call.Type.SUBSCRIBE)
          .setSubscribe(
              Call.Subscribe.newBuilder()
                  .setFrameworkInfo(FrameworkInfo.newBuilder().setUser("me").setName("test")))
          .build();

  private static final class Subscriber implements Scheduler {
    @Override
    public void connected(Mesos mesos) {
      mesos.send(SUBSCRIBE);
    }

    @Override
    public void disconnected(Mesos mesos) {}

    @Override
    public void received(Mesos mesos, Event event) {}
  }

  @Test
  void theConnectionOfASubscriptionThatTimesOutIsClosed() throws Exception {
    List<String> troubles = new CopyOnWriteArrayList<>();
    try (ServerSocket master = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      HttpMesos driver =
          new HttpMesos(
              new Subscriber(),
              new StandaloneMasterDetector(
                  ((MasterAddress.Fixed) MasterAddress.parse("localhost:" + master.getLocalPort()))
                      .masters()),
              MesosHttpClient.of(Optional.empty(), MesosHttpClient.Trust.SYSTEM),
              troubles::add,
              Duration.ofMillis(200));
      driver.start();
      try (Socket connection = master.accept()) {
        InputStream request = connection.getInputStream();
        while (request.read() >= 0) {
          assertThat(connection.isConnected()).isTrue();
        }
        await().until(() -> troubles.stream().anyMatch(why -> why.contains("silent")));
      } finally {
        driver.close();
      }
    }
  }
}

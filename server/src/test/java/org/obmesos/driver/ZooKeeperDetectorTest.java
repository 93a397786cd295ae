// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With a real ZooKeeper, into which masters are written as a real one writes itself. */
final class ZooKeeperDetectorTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @TempDir private Path directory;
  private NIOServerCnxnFactory factory;
  private int port;
  private ZooKeeper masters;
  private ZooKeeperDetector detector;
  private final List<Optional<URI>> leaders = new CopyOnWriteArrayList<>();
  private final List<String> troubles = new CopyOnWriteArrayList<>();

  @BeforeEach
  void start() throws Exception {
    serve(0);
    masters = connect();
    masters.create("/mesos", new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
  }

  private void serve(int at) throws IOException, InterruptedException {
    ZooKeeperServer server =
        new ZooKeeperServer(directory.toFile(), directory.resolve("log").toFile(), 500);
    factory = new NIOServerCnxnFactory();
    factory.configure(new InetSocketAddress(InetAddress.getLoopbackAddress(), at), 20);
    factory.startup(server);
    port = factory.getLocalPort();
  }

  private ZooKeeper connect() throws IOException, InterruptedException {
    CountDownLatch connected = new CountDownLatch(1);
    ZooKeeper client =
        new ZooKeeper(
            "localhost:" + port,
            10_000,
            event -> {
              if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                connected.countDown();
              }
            });
    connected.await();
    return client;
  }

  @AfterEach
  void stop() throws InterruptedException {
    if (detector != null) {
      detector.close();
    }
    masters.close();
    factory.shutdown();
  }

  private void detect(String login) {
    detect(login, "http");
  }

  private void detect(String login, String scheme) {
    detector =
        new ZooKeeperDetector(
            (MasterAddress.ZooKeeper)
                MasterAddress.parse("zk://" + login + "localhost:" + port + "/mesos"),
            scheme);
    detector.start(leaders::add, troubles::add);
  }

  private static byte[] recorded(int masterPort) throws IOException {
    try (InputStream file =
        ZooKeeperDetectorTest.class.getResourceAsStream("recordings/zookeeper.json")) {
      JsonObject recording =
          JsonParser.parseString(new String(file.readAllBytes(), StandardCharsets.UTF_8))
              .getAsJsonObject();
      JsonObject info = recording.getAsJsonObject("data of json.info_0000000001");
      info.getAsJsonObject("address").addProperty("port", masterPort);
      return info.toString().getBytes(StandardCharsets.UTF_8);
    }
  }

  private String elect(int masterPort) throws Exception {
    return masters.create(
        "/mesos/json.info_",
        recorded(masterPort),
        ZooDefs.Ids.OPEN_ACL_UNSAFE,
        CreateMode.EPHEMERAL_SEQUENTIAL);
  }

  private void awaitLeader(int masterPort) {
    await()
        .atMost(LONG)
        .until(
            () ->
                !leaders.isEmpty()
                    && leaders
                        .get(leaders.size() - 1)
                        .equals(Optional.of(URI.create("http://localhost:" + masterPort))));
  }

  @Test
  void theLowestNumberLeadsAndTheNextOneAfterIt() throws Exception {
    String first = elect(5060);
    elect(5061);
    detect("");
    awaitLeader(5060);
    masters.delete(first, -1);
    awaitLeader(5061);
  }

  @Test
  void aMasterCanBeReachedOverTls() throws Exception {
    elect(5060);
    detect("", "https");
    await()
        .atMost(LONG)
        .until(() -> leaders.contains(Optional.of(URI.create("https://localhost:5060"))));
  }

  @Test
  void aMasterThatComesLaterIsFound() throws Exception {
    detect("");
    await().atMost(LONG).until(() -> troubles.stream().anyMatch(why -> why.contains("No master")));
    elect(5060);
    awaitLeader(5060);
  }

  @Test
  void aLoginIsGiven() throws Exception {
    masters.addAuthInfo("digest", "user:geheim".getBytes(StandardCharsets.UTF_8));
    masters.create(
        "/mesos/json.info_",
        recorded(5070),
        ZooDefs.Ids.CREATOR_ALL_ACL,
        CreateMode.EPHEMERAL_SEQUENTIAL);
    detect("user:geheim@");
    awaitLeader(5070);
    assertThat(troubles).noneMatch(why -> why.contains("geheim"));
  }

  @Test
  void aZooKeeperThatComesBackIsAskedAgain() throws Exception {
    elect(5060);
    detect("");
    awaitLeader(5060);
    factory.shutdown();
    serve(port);
    masters.close();
    masters = connect();
    elect(5062);
    awaitLeader(5062);
  }

  @Test
  void whereNobodyAnswersTheUserHearsSo() throws Exception {
    factory.shutdown();
    detect("");
    await()
        .atMost(LONG)
        .until(() -> troubles.stream().anyMatch(why -> why.contains("it does not answer")));
    serve(port);
  }
}

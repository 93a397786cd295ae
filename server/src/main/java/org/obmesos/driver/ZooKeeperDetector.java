// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.obmesos.util.NamedExecutors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks ZooKeeper for the leading master: the node {@code json.info_...} with the lowest number
 * (Mesos' zookeeper/contender.cpp). Runs on one thread; an expired session is replaced.
 */
final class ZooKeeperDetector implements MasterDetector {
  private static final Logger log = LoggerFactory.getLogger(ZooKeeperDetector.class);
  private static final String NODE = "json.info_";
  private static final Duration SESSION = Duration.ofSeconds(10);
  private static final Duration RETRY = Duration.ofSeconds(1);

  /** How long ZooKeeper may not answer before the user is reported. */
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(4);

  private final MasterAddress.ZooKeeper address;
  private final String scheme;
  private final ScheduledThreadPoolExecutor thread;
  private Consumer<Optional<URI>> leader = unused -> {};
  private Consumer<String> trouble = unused -> {};
  private Optional<ZooKeeper> session = Optional.empty();
  private Optional<URI> reported = Optional.empty();

  /**
   * Creates a detector that is not started yet.
   *
   * @param scheme how masters are reached, http or https; ZooKeeper does not say
   */
  ZooKeeperDetector(MasterAddress.ZooKeeper address, String scheme) {
    this.address = address;
    this.scheme = scheme;
    this.thread = NamedExecutors.single("master-detector");
  }

  @Override
  public void start(Consumer<Optional<URI>> to, Consumer<String> why) {
    thread.execute(
        () -> {
          leader = to;
          trouble = why;
          open();
        });
  }

  private void open() {
    close(session);
    session = Optional.empty();
    try {
      // The ZooKeeper client waits for a host that cannot be resolved without reporting it.
      for (String server : address.servers().split(",", -1)) {
        URI uri = URI.create("zk://" + server);
        if (uri.getHost() != null) {
          java.net.InetAddress.getByName(uri.getHost());
        }
      }
      ZooKeeper made =
          new ZooKeeper(address.servers(), (int) SESSION.toMillis(), this::eventOnClientThread);
      session = Optional.of(made);
      address
          .login()
          .ifPresent(login -> made.addAuthInfo("digest", login.getBytes(StandardCharsets.UTF_8)));
      var unused =
          thread.schedule(
              () -> reportNoConnection(made), CONNECT_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (IOException | IllegalArgumentException e) {
      trouble.accept("No connection to " + address + ": " + MesosHttpClient.explain(e));
      var unused = thread.schedule(this::open, RETRY.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private void reportNoConnection(ZooKeeper asked) {
    if (session.filter(now -> now == asked).isPresent() && !asked.getState().isConnected()) {
      trouble.accept("No connection to " + address + ": it does not answer");
    }
  }

  private void eventOnClientThread(WatchedEvent event) {
    if (!thread.isShutdown()) {
      thread.execute(() -> event(event));
    }
  }

  private void event(WatchedEvent event) {
    if (event.getState() == Watcher.Event.KeeperState.Expired) {
      open();
    } else if (event.getState() == Watcher.Event.KeeperState.AuthFailed) {
      trouble.accept("No connection to " + address + ": it does not accept this login");
    } else if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
      update();
    }
  }

  private void update() {
    ZooKeeper asked = session.orElseThrow();
    try {
      List<String> nodes = asked.getChildren(address.path(), true);
      Optional<String> lowest =
          nodes.stream().filter(node -> node.startsWith(NODE)).min(Comparator.naturalOrder());
      report(lowest.isPresent() ? master(asked, lowest.get()) : Optional.empty());
      if (lowest.isEmpty()) {
        trouble.accept("No master leads at " + address);
      }
    } catch (KeeperException.NoNodeException e) {
      // The path does not exist yet, or the master has ended between the two requests.
      trouble.accept("No master leads at " + address);
      updateLater();
    } catch (KeeperException.NoAuthException e) {
      trouble.accept("No connection to " + address + ": it requires another login");
    } catch (KeeperException e) {
      log.info("ZooKeeper: {}", e.toString());
      updateLater();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void updateLater() {
    var unused =
        thread.schedule(
            () -> {
              if (session.filter(now -> now.getState().isConnected()).isPresent()) {
                update();
              }
            },
            RETRY.toMillis(),
            TimeUnit.MILLISECONDS);
  }

  private Optional<URI> master(ZooKeeper asked, String node)
      throws KeeperException, InterruptedException {
    byte[] data = asked.getData(address.path() + "/" + node, false, null);
    try {
      JsonObject info =
          JsonParser.parseString(new String(data, StandardCharsets.UTF_8)).getAsJsonObject();
      JsonObject at = info.getAsJsonObject("address");
      String host =
          at.has("hostname") ? at.get("hostname").getAsString() : at.get("ip").getAsString();
      return Optional.of(URI.create(scheme + "://" + host + ":" + at.get("port").getAsInt()));
    } catch (JsonParseException | IllegalStateException | NullPointerException e) {
      trouble.accept("The leading master at " + address + " cannot be read: " + e.getMessage());
      return Optional.empty();
    }
  }

  private void report(Optional<URI> found) {
    if (!found.equals(reported)) {
      reported = found;
      leader.accept(found);
    }
  }

  /** Asks ZooKeeper again. */
  @Override
  public void failed(URI master) {
    thread.execute(
        () -> session.filter(now -> now.getState().isConnected()).ifPresent(now -> update()));
  }

  @Override
  public void redirected(URI to) {
    thread.execute(
        () -> {
          reported = Optional.of(to);
          leader.accept(reported);
        });
  }

  private static void close(Optional<ZooKeeper> old) {
    old.ifPresent(
        zooKeeper -> {
          try {
            zooKeeper.close();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
  }

  @Override
  public void close() {
    if (thread.isShutdown()) {
      return;
    }
    thread.execute(() -> close(session));
    thread.shutdown();
  }
}

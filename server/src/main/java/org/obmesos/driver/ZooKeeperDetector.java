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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks ZooKeeper which master leads: of the nodes {@code json.info_...} below the path the one with
 * the lowest number. One thread does it all; a session that has expired is made anew.
 */
final class ZooKeeperDetector implements MasterDetector {
  private static final Logger log = LoggerFactory.getLogger(ZooKeeperDetector.class);
  private static final String NODE = "json.info_";
  private static final Duration SESSION = Duration.ofSeconds(10);
  private static final Duration RETRY = Duration.ofSeconds(1);

  /** How long ZooKeeper may be silent before the user hears of it. */
  private static final Duration PATIENCE = Duration.ofSeconds(4);

  private final MasterAddress.ZooKeeper address;
  private final ScheduledThreadPoolExecutor thread;
  private Consumer<Optional<URI>> leader = unused -> {};
  private Consumer<String> trouble = unused -> {};
  private Optional<ZooKeeper> session = Optional.empty();
  private Optional<URI> told = Optional.empty();

  ZooKeeperDetector(MasterAddress.ZooKeeper address) {
    this.address = address;
    this.thread = Threads.one("master-detector");
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
      // Asked first, for the client waits for a host that does not resolve without a word.
      for (String server : address.servers().split(",", -1)) {
        URI uri = URI.create("zk://" + server);
        if (uri.getHost() != null) {
          java.net.InetAddress.getByName(uri.getHost());
        }
      }
      ZooKeeper made =
          new ZooKeeper(address.servers(), (int) SESSION.toMillis(), this::heardOnClientThread);
      session = Optional.of(made);
      address
          .login()
          .ifPresent(login -> made.addAuthInfo("digest", login.getBytes(StandardCharsets.UTF_8)));
      var unused =
          thread.schedule(() -> complain(made), PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (IOException | IllegalArgumentException e) {
      trouble.accept("No connection to " + address + ": " + Web.explain(e));
      var unused = thread.schedule(this::open, RETRY.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private void complain(ZooKeeper asked) {
    if (session.filter(now -> now == asked).isPresent() && !asked.getState().isConnected()) {
      trouble.accept("No connection to " + address + ": nobody answers there");
    }
  }

  private void heardOnClientThread(WatchedEvent event) {
    if (!thread.isShutdown()) {
      thread.execute(() -> heard(event));
    }
  }

  private void heard(WatchedEvent event) {
    if (event.getState() == Watcher.Event.KeeperState.Expired) {
      open();
    } else if (event.getState() == Watcher.Event.KeeperState.AuthFailed) {
      trouble.accept("No connection to " + address + ": it does not take this login");
    } else if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
      look();
    }
  }

  private void look() {
    ZooKeeper asked = session.orElseThrow();
    try {
      List<String> nodes = asked.getChildren(address.path(), true);
      Optional<String> lowest =
          nodes.stream().filter(node -> node.startsWith(NODE)).min(Comparator.naturalOrder());
      tell(lowest.isPresent() ? master(asked, lowest.get()) : Optional.empty());
      if (lowest.isEmpty()) {
        trouble.accept("No master leads at " + address);
      }
    } catch (KeeperException.NoNodeException e) {
      // Either the path is not there yet, or the master has gone between the two questions.
      trouble.accept("No master leads at " + address);
      again();
    } catch (KeeperException.NoAuthException e) {
      trouble.accept("No connection to " + address + ": it wants another login");
    } catch (KeeperException e) {
      log.info("ZooKeeper: {}", e.toString());
      again();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void again() {
    var unused =
        thread.schedule(
            () -> {
              if (session.filter(now -> now.getState().isConnected()).isPresent()) {
                look();
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
      return Optional.of(URI.create("http://" + host + ":" + at.get("port").getAsInt()));
    } catch (JsonParseException | IllegalStateException | NullPointerException e) {
      trouble.accept("What leads at " + address + " cannot be read: " + e.getMessage());
      return Optional.empty();
    }
  }

  private void tell(Optional<URI> found) {
    if (!found.equals(told)) {
      told = found;
      leader.accept(found);
    }
  }

  /** ZooKeeper knows better who leads; it is only asked again. */
  @Override
  public void failed(URI master) {
    thread.execute(
        () -> session.filter(now -> now.getState().isConnected()).ifPresent(now -> look()));
  }

  @Override
  public void redirected(URI to) {
    thread.execute(
        () -> {
          told = Optional.of(to);
          leader.accept(told);
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
    thread.execute(() -> close(session));
    thread.shutdown();
  }
}

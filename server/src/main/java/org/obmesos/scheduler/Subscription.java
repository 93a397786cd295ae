// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.MasterInfo;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.obmesos.driver.SchedulerDriver;
import org.obmesos.task.Site;
import org.obmesos.task.Task;

/**
 * Who the framework is to the master, and whether it may speak: before it is subscribed, and after
 * the connection is gone, nothing is sent. Used on the scheduler loop.
 */
final class Subscription {
  private static final String ANYBODY = "*";

  private final FrameworkOptions options;
  private SchedulerDriver driver;
  private Optional<String> id = Optional.empty();
  private Optional<String> master = Optional.empty();
  private Optional<Calls> calls = Optional.empty();
  private boolean suppressed;
  private boolean gpus;
  private final Set<String> roles = new TreeSet<>(Set.of(ANYBODY));
  private boolean untold;

  Subscription(FrameworkOptions options) {
    this.options = options;
  }

  /**
   * Begins.
   *
   * @param known the id of the framework to take over, if there is one
   * @param through not started yet
   */
  void start(Optional<String> known, SchedulerDriver through) {
    id = known;
    driver = through;
    driver.start();
  }

  Optional<String> id() {
    return id;
  }

  /** Whether the master listens. */
  boolean isUp() {
    return calls.isPresent();
  }

  /**
   * There is a master to subscribe with.
   *
   * @param idle whether no offers are wanted for now
   */
  void subscribe(boolean idle) {
    suppressed = idle;
    untold = false;
    driver.send(Calls.subscribe(Calls.frameworkInfo(options, id, roles, gpus), idle));
  }

  /**
   * The master knows us.
   *
   * @return whether it knows us by another name than before
   */
  boolean named(FrameworkID name) {
    boolean news = !id.equals(Optional.of(name.getValue()));
    id = Optional.of(name.getValue());
    return news;
  }

  /** The master that knows us; one without a port has no web UI. */
  void master(MasterInfo info) {
    master =
        info.getPort() > 0
            ? Optional.of(info.getHostname() + ":" + info.getPort())
            : Optional.empty();
  }

  /** The page of a task in the master's web UI (Mesos' src/webui/app/app.js). */
  Optional<String> page(Task task) {
    Site site = task.placing().site();
    return site.isNone()
        ? Optional.empty()
        : master.map(
            where ->
                "http://%s/#/agents/%s/frameworks/%s/executors/%s"
                    .formatted(where, site.agentId(), site.frameworkId(), task.mesosTaskId()));
  }

  /** From here on calls are sent. */
  void up() {
    calls = id.map(name -> new Calls(FrameworkID.newBuilder().setValue(name).build()));
    tellOfWishes();
  }

  /** From here on none are. */
  void down() {
    calls = Optional.empty();
  }

  /** The framework is gone for good; subscribes as another. */
  void beginAnew() {
    id = Optional.empty();
    again();
  }

  /** Subscribes again. */
  void again() {
    driver.reconnect();
  }

  void close() {
    down();
    if (driver != null) {
      driver.close();
    }
  }

  /** Sends a call if the master listens; what becomes of it is told by events. */
  void send(Function<Calls, Call> make) {
    calls.ifPresent(made -> driver.send(make.apply(made)));
  }

  /** Sends a call; completes as {@link SchedulerDriver#call} says, fails if there is no master. */
  CompletableFuture<Void> call(Function<Calls, Call> make) {
    return calls
        .map(made -> driver.call(make.apply(made)))
        .orElseGet(
            () -> CompletableFuture.failedFuture(new IllegalStateException("not subscribed")));
  }

  void revive() {
    suppressed = false;
    send(Calls::revive);
  }

  void suppress() {
    if (!suppressed) {
      suppressed = true;
      send(Calls::suppress);
    }
  }

  /**
   * Agents with GPUs make offers to those only who say that they know them, and roles are offered
   * to those who have them.
   *
   * @param role empty for none in particular
   */
  void want(boolean wantsGpus, String role) {
    untold |= wantsGpus && !gpus;
    gpus |= wantsGpus;
    untold |= options.hasRoles() && !role.isEmpty() && roles.add(role);
    tellOfWishes();
  }

  private void tellOfWishes() {
    if (untold && isUp()) {
      untold = false;
      driver.reconnect();
    }
  }
}

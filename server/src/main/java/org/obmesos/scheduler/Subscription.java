// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.obmesos.driver.SchedulerDriver;

/**
 * Who the framework is to the master, and whether it may speak: before it is subscribed, and after
 * the connection is gone, nothing is sent. Used on the scheduler loop.
 */
final class Subscription {
  private final FrameworkOptions options;
  private SchedulerDriver driver;
  private Optional<String> id = Optional.empty();
  private Optional<Calls> calls = Optional.empty();
  private boolean suppressed;
  private boolean gpus;
  private boolean toldOfGpus;

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
    toldOfGpus = gpus;
    driver.send(Calls.subscribe(Calls.frameworkInfo(options, id, gpus), idle));
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

  /** From here on calls are sent. */
  void up() {
    calls = id.map(name -> new Calls(FrameworkID.newBuilder().setValue(name).build()));
    tellOfGpus();
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

  /** Agents with GPUs make offers to those only who say that they know them. */
  void wantGpus() {
    gpus = true;
    tellOfGpus();
  }

  private void tellOfGpus() {
    if (gpus && !toldOfGpus && isUp()) {
      toldOfGpus = true;
      driver.reconnect();
    }
  }
}

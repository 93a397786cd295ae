// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.util.concurrent.CompletableFuture;
import org.apache.mesos.v1.scheduler.Mesos;
import org.apache.mesos.v1.scheduler.Protos.Call;

/**
 * The interface {@link Mesos} of the bindings with an answer for each call and a close method.
 *
 * <p>Calls are sent in order. Events are passed to the {@code Scheduler} of the implementation's
 * constructor one after the other, on a thread of the driver.
 */
public interface SchedulerDriver extends Mesos, AutoCloseable {

  /** Starts; {@code Scheduler.connected} is called once a master is found. */
  void start();

  /**
   * Sends a call.
   *
   * @return completes when the master has accepted the call, before it has any effect; fails with
   *     an {@link IllegalArgumentException} with the master's message if it has refused the call
   */
  CompletableFuture<Void> call(Call call);

  /** Sends a call without waiting for its answer. */
  @Override
  default void send(Call call) {
    var unused = call(call);
  }

  /** Closes the connection. The framework and its tasks remain. */
  @Override
  void close();
}

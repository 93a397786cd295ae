// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.util.concurrent.CompletableFuture;
import org.apache.mesos.v1.scheduler.Mesos;
import org.apache.mesos.v1.scheduler.Protos.Call;

/**
 * The bindings' {@link Mesos} with an answer for each call and an end.
 *
 * <p>Calls are sent in the order in which they are made. Events reach the {@code Scheduler} given
 * to the implementation's constructor one after the other, on a thread of the driver's.
 */
public interface SchedulerDriver extends Mesos, AutoCloseable {

  /** Begins: {@code Scheduler.connected} follows once there is a master. */
  void start();

  /**
   * Sends a call.
   *
   * @return completes when the master has accepted the call, which says nothing of its effect;
   *     fails with an {@link IllegalArgumentException} that carries the master's words if it has
   *     refused it
   */
  CompletableFuture<Void> call(Call call);

  /** Sends a call without waiting for its answer. */
  @Override
  default void send(Call call) {
    var unused = call(call);
  }

  /** Ends the connection and nothing else: tasks go on as the framework's id says. */
  @Override
  void close();
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.mesos.v1.Protos.TaskStatus;
import org.obmesos.util.Backoff;

/**
 * The updates of one task, delivered as an agent does (its task_status_update_manager): one at a
 * time and in order, each again after 10 s, then 20 s and so on to 10 min, until it is
 * acknowledged. Used on one thread, which is also the timer's.
 */
final class StatusStream {
  private static final Backoff RETRY = new Backoff(Duration.ofSeconds(10), Duration.ofMinutes(10));

  private final ScheduledExecutorService timer;
  private final Consumer<TaskStatus> send;
  private final Deque<TaskStatus> pending = new ArrayDeque<>();
  private Optional<Future<?>> retry = Optional.empty();

  StatusStream(ScheduledExecutorService timer, Consumer<TaskStatus> send) {
    this.timer = timer;
    this.send = send;
  }

  void add(TaskStatus update) {
    pending.add(update);
    if (pending.size() == 1) {
      sendFirst(0);
    }
  }

  /**
   * Takes an acknowledgement; returns the update it is for, unless that was acknowledged before.
   */
  Optional<TaskStatus> acknowledge(ByteString uuid) {
    if (pending.isEmpty() || !pending.peek().getUuid().equals(uuid)) {
      return Optional.empty();
    }
    TaskStatus acknowledged = pending.remove();
    resend();
    return Optional.of(acknowledged);
  }

  /** Returns the first pending update. */
  Optional<TaskStatus> first() {
    return Optional.ofNullable(pending.peek());
  }

  /** Sends the first pending update, to a scheduler that has just subscribed. */
  void resend() {
    stop();
    sendFirst(0);
  }

  void stop() {
    retry.ifPresent(future -> future.cancel(false));
    retry = Optional.empty();
  }

  private void sendFirst(int retries) {
    if (pending.isEmpty()) {
      return;
    }
    send.accept(pending.peek());
    retry =
        Optional.of(
            timer.schedule(
                () -> sendFirst(retries + 1),
                RETRY.delay(retries).toMillis(),
                TimeUnit.MILLISECONDS));
  }
}

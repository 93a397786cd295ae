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

/**
 * The updates of one task, delivered as an agent does: one at a time and in order, each again after
 * 10 s, then 20 s and so on to 10 min, until it is acknowledged. Used from one thread, which also
 * is that of the timer.
 */
final class StatusStream {
  private static final Duration FIRST_RETRY = Duration.ofSeconds(10);
  private static final Duration LAST_RETRY = Duration.ofMinutes(10);

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
      sendHead(FIRST_RETRY);
    }
  }

  /** Takes an acknowledgement; one that is not for the update sent last is of no consequence. */
  Optional<TaskStatus> acknowledge(ByteString uuid) {
    if (pending.isEmpty() || !pending.peek().getUuid().equals(uuid)) {
      return Optional.empty();
    }
    TaskStatus done = pending.remove();
    stop();
    sendHead(FIRST_RETRY);
    return Optional.of(done);
  }

  /** Sends what waits, to a scheduler that has just subscribed. */
  void resend() {
    stop();
    sendHead(FIRST_RETRY);
  }

  void stop() {
    retry.ifPresent(future -> future.cancel(false));
    retry = Optional.empty();
  }

  private void sendHead(Duration next) {
    if (pending.isEmpty()) {
      return;
    }
    send.accept(pending.peek());
    Duration after = next.multipliedBy(2);
    retry =
        Optional.of(
            timer.schedule(
                () -> sendHead(after.compareTo(LAST_RETRY) > 0 ? LAST_RETRY : after),
                next.toMillis(),
                TimeUnit.MILLISECONDS));
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.net.http.HttpResponse;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The calls of one subscription. Each is sent when the one before it is answered, so that they
 * arrive in order. Acknowledgements need no order: an agent sends the next update of a task once
 * the last one is acknowledged. So several are under way at once, beside another call; otherwise a
 * master that is 20 ms away would get 50 in a second. Used on the driver's thread.
 */
final class CallQueue {
  private static final Logger log = LoggerFactory.getLogger(CallQueue.class);
  private static final int MAX_ACKNOWLEDGEMENTS = 8;

  /** The connection to the master. Its methods are called on the driver's thread. */
  interface Connection {
    /** Sends a call. The answer completes on any thread. */
    CompletableFuture<HttpResponse<String>> send(Call call);

    /** Runs something on the driver's thread. */
    void execute(Runnable work);

    /** Runs something on the driver's thread after a delay that grows with each failure. */
    void executeLater(Runnable work);

    /** The master has accepted a call. */
    void accepted();

    /** The master has refused a call; the connection is still good. */
    void refused(Call.Type type, String why);

    /** The connection is of no use any more. */
    void lost(String why);

    /** The master has torn the framework down. */
    void tornDown();
  }

  private record Pending(Call call, CompletableFuture<Void> answer) {
    private boolean isAcknowledgement() {
      return call.getType() == Call.Type.ACKNOWLEDGE;
    }
  }

  private final Connection connection;
  private final Deque<Pending> ordered = new ArrayDeque<>();
  private final Deque<Pending> acknowledgements = new ArrayDeque<>();

  /** The call that the next one in order waits for. */
  private Optional<Pending> sent = Optional.empty();

  /** The acknowledgements that are under way. */
  private final List<Pending> acknowledging = new ArrayList<>();

  private boolean open;
  private boolean waiting;
  private boolean ended;

  CallQueue(Connection connection) {
    this.connection = connection;
  }

  /** Sends a call once it can be sent. */
  void add(Call call, CompletableFuture<Void> answer) {
    Pending added = new Pending(call, answer);
    queue(added).add(added);
    pump();
  }

  /** The subscription has been accepted: calls can be sent. */
  void open() {
    open = true;
    pump();
  }

  /** Returns whether all calls are answered. */
  boolean isEmpty() {
    return ordered.isEmpty()
        && acknowledgements.isEmpty()
        && sent.isEmpty()
        && acknowledging.isEmpty();
  }

  /**
   * The connection has ended. Returns whether a TEARDOWN was under way, which has succeeded then: a
   * master often closes the connection before it answers.
   */
  boolean endsTeardown() {
    Optional<Pending> teardown = sent.filter(it -> it.call().getType() == Call.Type.TEARDOWN);
    teardown.ifPresent(it -> it.answer().complete(null));
    return teardown.isPresent();
  }

  /** The connection has ended: all calls that are not answered have failed. */
  void end(String why) {
    ended = true;
    List<Pending> all = new ArrayList<>(acknowledging);
    sent.ifPresent(all::add);
    all.addAll(ordered);
    all.addAll(acknowledgements);
    sent = Optional.empty();
    acknowledging.clear();
    ordered.clear();
    acknowledgements.clear();
    all.forEach(it -> it.answer().completeExceptionally(new IllegalStateException(why)));
  }

  private Deque<Pending> queue(Pending pending) {
    return pending.isAcknowledgement() ? acknowledgements : ordered;
  }

  private void pump() {
    while (open && !waiting && !ended) {
      if (!ordered.isEmpty() && sent.isEmpty()) {
        sent = Optional.of(ordered.remove());
        send(sent.get());
      } else if (!acknowledgements.isEmpty() && acknowledging.size() < MAX_ACKNOWLEDGEMENTS) {
        acknowledging.add(acknowledgements.remove());
        send(acknowledging.get(acknowledging.size() - 1));
      } else {
        return;
      }
    }
  }

  private void send(Pending next) {
    var unused =
        connection
            .send(next.call())
            .whenComplete(
                (response, failure) ->
                    connection.execute(
                        () -> {
                          if (ended) {
                            return;
                          }
                          if (failure != null) {
                            // The call may have arrived; reconciliation tells.
                            connection.lost(MesosHttpClient.explain(failure));
                          } else {
                            answered(next, response);
                          }
                        }));
  }

  private void answered(Pending call, HttpResponse<String> response) {
    int status = response.statusCode();
    if (call.isAcknowledgement()) {
      acknowledging.remove(call);
    } else {
      sent = Optional.empty();
    }
    if (MasterResponses.isBusy(status)) {
      log.info("the master answers {} and is asked again", status);
      queue(call).addFirst(call);
      pumpLater();
      return;
    }
    if (status == 202 || status == 200) {
      call.answer().complete(null);
      if (call.call().getType() == Call.Type.TEARDOWN) {
        connection.tornDown();
      } else {
        pump();
        connection.accepted();
      }
      return;
    }
    String why = MasterResponses.refusal(response);
    if (MasterResponses.isUncertain(status)) {
      call.answer().completeExceptionally(new IllegalStateException(why));
      connection.lost(why);
      return;
    }
    call.answer().completeExceptionally(new IllegalArgumentException(why));
    if (MasterResponses.isSubscriptionGone(response) || status == 307 || status == 401) {
      connection.lost(why);
    } else {
      connection.refused(call.call().getType(), why);
      pump();
    }
  }

  private void pumpLater() {
    if (!waiting) {
      waiting = true;
      connection.executeLater(
          () -> {
            waiting = false;
            pump();
          });
    }
  }
}

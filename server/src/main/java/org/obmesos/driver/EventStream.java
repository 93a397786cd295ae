// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import org.apache.mesos.v1.scheduler.Protos.Event;

/** The body of the answer to SUBSCRIBE: a stream of events. */
final class EventStream implements BodySubscriber<String> {
  private final Consumer<Event> events;
  private final Consumer<Throwable> end;
  private final RecordIo records = new RecordIo(this::record);
  private volatile Flow.Subscription subscription;
  private volatile boolean closed;

  /**
   * Creates the body of one answer.
   *
   * @param events gets each event, on the HTTP client's thread
   * @param end is called once, with the reason for the end of the stream
   */
  EventStream(Consumer<Event> events, Consumer<Throwable> end) {
    this.events = events;
    this.end = end;
  }

  /** Completes at once: the body does not end. */
  @Override
  public CompletionStage<String> getBody() {
    return CompletableFuture.completedFuture("");
  }

  @Override
  public void onSubscribe(Flow.Subscription given) {
    subscription = given;
    if (closed) {
      given.cancel();
    } else {
      given.request(Long.MAX_VALUE);
    }
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    try {
      for (ByteBuffer buffer : buffers) {
        records.feed(buffer);
      }
    } catch (IOException | IllegalArgumentException e) {
      close();
      end.accept(e);
    }
  }

  private void record(byte[] bytes) {
    try {
      events.accept(Event.parseFrom(bytes));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalArgumentException("an event cannot be read: " + e.getMessage(), e);
    }
  }

  @Override
  public void onError(Throwable failure) {
    end.accept(new IOException("the connection has ended", failure));
  }

  @Override
  public void onComplete() {
    end.accept(new IOException("the master has closed the connection"));
  }

  /** Cancels the stream. */
  void close() {
    closed = true;
    Flow.Subscription given = subscription;
    if (given != null) {
      given.cancel();
    }
  }
}

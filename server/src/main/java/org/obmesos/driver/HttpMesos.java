// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.obmesos.util.Backoff;
import org.obmesos.util.NamedExecutors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Mesos master over its HTTP API (Mesos' docs/scheduler-http-api.md), without the native library.
 *
 * <p>SUBSCRIBE has a connection of its own, over which events arrive. One thread owns the state and
 * calls the scheduler. After a lost connection, or five heartbeat intervals without an event, it
 * subscribes again, with jittered exponential backoff, until it is closed.
 */
public final class HttpMesos implements SchedulerDriver {
  private static final Logger log = LoggerFactory.getLogger(HttpMesos.class);
  private static final String PATH = "/api/v1/scheduler";
  private static final String STREAM_ID = "Mesos-Stream-Id";
  private static final Backoff BACKOFF =
      new Backoff(Duration.ofMillis(250), Duration.ofSeconds(15));
  private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(10);
  private static final int HEARTBEATS_MISSED = 5;
  private static final int MAX_REDIRECTS = 5;
  private static final long CLOSE_SECONDS = 2;

  private final Scheduler scheduler;
  private final MasterDetector detector;
  private final MesosHttpClient http;
  private final Consumer<String> trouble;
  private final Duration timeout;
  private final ScheduledThreadPoolExecutor thread;

  private Optional<URI> leader = Optional.empty();
  private Optional<Subscription> subscription = Optional.empty();
  private boolean reconnecting;
  private int redirects;
  private int failures;
  private boolean closed;

  /** Completes once no call waits any more, after {@link #close}. */
  private final CompletableFuture<Void> drained = new CompletableFuture<>();

  /** One subscription, from the SUBSCRIBE call to the end of its connection. */
  private final class Subscription implements CallQueue.Connection {
    private final URI master;
    private final CompletableFuture<Void> answer;
    private final CallQueue calls = new CallQueue(this);
    private URI endpoint;
    private Optional<EventStream> stream = Optional.empty();
    private Optional<Future<?>> exchange = Optional.empty();
    private String streamId = "";
    private Duration silence = ANSWER_TIMEOUT;
    private Instant lastEvent = Instant.now();

    Subscription(URI master, CompletableFuture<Void> answer) {
      this.master = master;
      this.answer = answer;
      this.endpoint = master;
    }

    /** Closes the connection. */
    void close() {
      stream.ifPresent(EventStream::close);
      exchange.ifPresent(future -> future.cancel(true));
    }

    @Override
    public CompletableFuture<HttpResponse<String>> send(Call call) {
      HttpRequest request =
          post(endpoint, call).header(STREAM_ID, streamId).timeout(ANSWER_TIMEOUT).build();
      return http.client().sendAsync(request, info -> MasterResponses.text());
    }

    @Override
    public void execute(Runnable work) {
      HttpMesos.this.execute(work);
    }

    @Override
    public void executeLater(Runnable work) {
      later(work);
    }

    @Override
    public void accepted() {
      failures = 0;
      endIfDrained();
    }

    @Override
    public void refused(Call.Type type, String why) {
      log.warn("the master refuses {}: {}", type, why);
      trouble.accept("The master refuses " + type + ": " + why);
      endIfDrained();
    }

    @Override
    public void lost(String why) {
      HttpMesos.this.lost(this, why);
    }

    @Override
    public void tornDown() {
      end();
    }
  }

  /**
   * Creates a driver that is not started yet.
   *
   * @param trouble is called, on the driver's thread, with a sentence that says why there is no
   *     connection
   * @param timeout how long to wait for the answer to SUBSCRIBE
   */
  public HttpMesos(
      Scheduler scheduler,
      MasterDetector detector,
      MesosHttpClient http,
      Consumer<String> trouble,
      Duration timeout) {
    this.scheduler = Objects.requireNonNull(scheduler, "scheduler");
    this.detector = Objects.requireNonNull(detector, "detector");
    this.http = Objects.requireNonNull(http, "http");
    this.trouble = Objects.requireNonNull(trouble, "trouble");
    this.timeout = Objects.requireNonNull(timeout, "timeout");
    this.thread = NamedExecutors.single("http-mesos");
  }

  /** Creates a driver with the detector for an address. */
  public static HttpMesos of(
      Scheduler scheduler, MasterAddress address, MesosHttpClient http, Consumer<String> trouble) {
    MasterDetector detector =
        address instanceof MasterAddress.Fixed fixed
            ? new StandaloneMasterDetector(fixed.masters())
            : new ZooKeeperDetector(
                (MasterAddress.ZooKeeper) address, http.isTlsConfigured() ? "https" : "http");
    return new HttpMesos(scheduler, detector, http, trouble, ANSWER_TIMEOUT);
  }

  @Override
  public void start() {
    execute(
        () ->
            detector.start(
                found -> execute(() -> leads(found)), why -> execute(() -> trouble.accept(why))));
    var unused =
        thread.scheduleWithFixedDelay(
            guarded(this::watch),
            timeout.toMillis() / 4,
            timeout.toMillis() / 4,
            TimeUnit.MILLISECONDS);
  }

  private void execute(Runnable work) {
    try {
      thread.execute(guarded(work));
    } catch (RejectedExecutionException e) {
      log.debug("closed already", e);
    }
  }

  private static Runnable guarded(Runnable work) {
    return () -> {
      try {
        work.run();
      } catch (RuntimeException e) {
        log.error("unexpected exception in the driver", e);
      }
    };
  }

  // The connection.

  private void leads(Optional<URI> found) {
    boolean same = found.equals(leader);
    leader = found;
    if (same && (subscription.isPresent() || reconnecting)) {
      return;
    }
    if (subscription.isPresent()) {
      drop("another master leads");
    }
    if (!reconnecting) {
      connect();
    }
  }

  private void connect() {
    if (!closed && leader.isPresent() && subscription.isEmpty()) {
      scheduler.connected(this);
    }
  }

  private void connectLater() {
    if (!reconnecting && !closed) {
      reconnecting = true;
      later(
          () -> {
            reconnecting = false;
            connect();
          });
    }
  }

  /** Runs something after a delay that grows with each failure. */
  private void later(Runnable work) {
    Duration delay = BACKOFF.jittered(failures++, ThreadLocalRandom.current());
    var unused = thread.schedule(guarded(work), delay.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void subscribe(Call call, CompletableFuture<Void> answer) {
    if (leader.isEmpty() || subscription.isPresent()) {
      answer.completeExceptionally(
          new IllegalStateException(
              leader.isEmpty() ? "no master leads" : "there is a subscription already"));
      return;
    }
    Subscription attempt = new Subscription(leader.get(), answer);
    attempt.silence = timeout;
    subscription = Optional.of(attempt);
    try {
      attempt.endpoint = MesosHttpClient.connectable(attempt.master);
    } catch (UnknownHostException e) {
      lost(attempt, MesosHttpClient.explain(e));
      return;
    }
    HttpRequest request = post(attempt.endpoint, call).build();
    CompletableFuture<HttpResponse<String>> exchange =
        http.client().sendAsync(request, info -> body(info, attempt));
    attempt.exchange = Optional.of(exchange);
    var unused =
        exchange.whenComplete(
            (response, failure) ->
                execute(
                    () -> {
                      if (failure != null) {
                        lost(attempt, MesosHttpClient.explain(failure));
                      } else {
                        answered(attempt, response);
                      }
                    }));
  }

  private HttpRequest.Builder post(URI master, Call call) {
    return http.request(master.resolve(PATH))
        .header("Content-Type", MesosHttpClient.PROTOBUF)
        .POST(HttpRequest.BodyPublishers.ofByteArray(call.toByteArray()));
  }

  private HttpResponse.BodySubscriber<String> body(
      HttpResponse.ResponseInfo info, Subscription attempt) {
    boolean events =
        info.statusCode() == 200
            && info.headers()
                .firstValue("Content-Type")
                .orElse("")
                .startsWith(MesosHttpClient.PROTOBUF);
    if (!events) {
      return MasterResponses.text();
    }
    EventStream stream =
        new EventStream(
            event -> execute(() -> received(attempt, event)),
            failure -> execute(() -> lost(attempt, MesosHttpClient.explain(failure))));
    execute(() -> attempt.stream = Optional.of(stream));
    return stream;
  }

  private void answered(Subscription attempt, HttpResponse<String> response) {
    if (!current(attempt)) {
      attempt.close();
      return;
    }
    if (attempt.stream.isPresent()) {
      attempt.streamId = response.headers().firstValue(STREAM_ID).orElse("");
      attempt.lastEvent = Instant.now();
      redirects = 0;
      attempt.answer.complete(null);
      attempt.calls.open();
      return;
    }
    Optional<URI> elsewhere = MasterResponses.redirect(attempt.master, response);
    if (elsewhere.isPresent() && redirects < MAX_REDIRECTS) {
      redirects++;
      subscription = Optional.empty();
      attempt.answer.completeExceptionally(new IllegalStateException("another master leads"));
      log.info("{} says that {} leads", attempt.master, elsewhere.get());
      leader = Optional.empty();
      detector.redirected(elsewhere.get());
      return;
    }
    redirects = 0;
    lost(attempt, MasterResponses.refusal(response));
  }

  private boolean current(Subscription attempt) {
    return subscription.filter(now -> now == attempt).isPresent();
  }

  private void received(Subscription attempt, Event event) {
    if (!current(attempt)) {
      return;
    }
    attempt.lastEvent = Instant.now();
    if (event.getType() == Event.Type.SUBSCRIBED) {
      double seconds = event.getSubscribed().getHeartbeatIntervalSeconds();
      if (seconds > 0) {
        attempt.silence = Duration.ofMillis((long) (seconds * 1000 * HEARTBEATS_MISSED));
      }
      failures = 0;
    }
    scheduler.received(this, event);
    if (event.getType() == Event.Type.ERROR) {
      // The master sends nothing after it. The scheduler decides whether to subscribe again.
      drop(event.getError().getMessage());
    }
  }

  private void watch() {
    subscription
        .filter(
            attempt ->
                Duration.between(attempt.lastEvent, Instant.now()).compareTo(attempt.silence) > 0)
        .ifPresent(
            attempt ->
                lost(attempt, "it has been silent for " + attempt.silence.toMillis() + " ms"));
  }

  /** The subscription has failed or ended: reports why, and subscribes again later. */
  private void lost(Subscription attempt, String why) {
    if (!current(attempt)) {
      return;
    }
    if (closed) {
      drained.complete(null);
      return;
    }
    if (attempt.calls.endsTeardown()) {
      end();
      return;
    }
    String sentence =
        "No connection to the master at " + attempt.master.getAuthority() + ": " + why;
    log.info("{}", sentence);
    drop(sentence);
    trouble.accept(sentence);
    reconnecting = false;
    connectLater();
    detector.failed(attempt.master);
  }

  /** The framework was torn down. */
  private void end() {
    closed = true;
    drop("the framework has been torn down");
    detector.close();
  }

  /** Ends the subscription and tells only the scheduler. */
  private void drop(String why) {
    Subscription attempt = subscription.orElseThrow();
    subscription = Optional.empty();
    attempt.close();
    attempt.answer.completeExceptionally(new IllegalStateException(why));
    attempt.calls.end(why);
    scheduler.disconnected(this);
    endIfDrained();
  }

  // Calls.

  @Override
  public CompletableFuture<Void> call(Call call) {
    CompletableFuture<Void> answer = new CompletableFuture<>();
    try {
      thread.execute(
          guarded(
              () -> {
                if (call.getType() == Call.Type.SUBSCRIBE) {
                  subscribe(call, answer);
                } else if (subscription.isEmpty()) {
                  answer.completeExceptionally(new IllegalStateException("not subscribed"));
                } else {
                  subscription.get().calls.add(call, answer);
                }
              }));
    } catch (RejectedExecutionException e) {
      answer.completeExceptionally(new IllegalStateException("the driver is closed", e));
    }
    return answer;
  }

  @Override
  public void reconnect() {
    execute(
        () -> {
          if (subscription.isPresent()) {
            drop("subscribing again");
          }
          connectLater();
        });
  }

  private void endIfDrained() {
    if (closed && subscription.map(it -> it.calls.isEmpty()).orElse(true)) {
      drained.complete(null);
    }
  }

  /** Sends the calls that wait, for two seconds at most. A second call has no effect. */
  @Override
  public void close() {
    if (thread.isShutdown()) {
      return;
    }
    execute(
        () -> {
          closed = true;
          endIfDrained();
        });
    try {
      drained.get(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      log.warn("the master has not answered the last calls");
    }
    execute(
        () -> {
          subscription.ifPresent(Subscription::close);
          subscription = Optional.empty();
          detector.close();
        });
    thread.shutdown();
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import org.apache.mesos.v1.Protos.Address;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.TaskID;
import org.apache.mesos.v1.Protos.TaskState;
import org.apache.mesos.v1.Protos.TaskStatus;
import org.apache.mesos.v1.Protos.URL;
import org.apache.mesos.v1.Protos.Unavailability;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;

/**
 * A master and an agent over HTTP, with the embedded cluster behind them, which can also misbehave.
 * It answers as the recordings of a real one do.
 */
final class TestMaster implements AutoCloseable {
  static {
    // Otherwise each small answer waits for the client's delayed acknowledgement.
    System.setProperty("sun.net.httpserver.nodelay", "true");
  }

  private static final String PROTOBUF = "application/x-protobuf";
  private static final double HEARTBEAT_SECONDS = 0.2;

  private final ClusterFixture cluster;
  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final AtomicInteger busy = new AtomicInteger();
  private volatile Optional<Stream> stream = Optional.empty();
  private volatile Optional<String> authorization = Optional.empty();
  private volatile Optional<URI> leader = Optional.empty();
  private volatile boolean withholding;
  private volatile boolean silent;
  private volatile String agentHost = "localhost";
  private volatile Optional<Unavailability> maintenance = Optional.empty();
  private volatile boolean losesKills;
  private volatile CountDownLatch acknowledgements = new CountDownLatch(0);
  private volatile Optional<String> refusedRole = Optional.empty();
  private volatile Optional<Event> greeting = Optional.empty();
  private final AtomicInteger drops = new AtomicInteger();
  private final AtomicInteger refusals = new AtomicInteger();
  private final AtomicInteger losses = new AtomicInteger();
  private final AtomicInteger proxyErrors = new AtomicInteger();
  private final TestAgent agent;
  private final List<Call> calls = new CopyOnWriteArrayList<>();
  private final SplitOffers halves = new SplitOffers();
  private final Set<String> removed = ConcurrentHashMap.newKeySet();
  private final AtomicReference<Moment> moment = new AtomicReference<>();

  /**
   * A moment in the life of a call.
   *
   * @param type which call
   * @param done whether what it asks for has been done, though not answered
   * @param then what happens at that moment, once; the call goes no further
   */
  private record Moment(Call.Type type, boolean done, Runnable then) {}

  /** One subscription. */
  private final class Stream {
    private final String id = UUID.randomUUID().toString();
    private final BlockingQueue<byte[]> records = new LinkedBlockingQueue<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile boolean over;

    void send(Event event) {
      byte[] bytes = event.toByteArray();
      byte[] header = (bytes.length + "\n").getBytes(StandardCharsets.US_ASCII);
      byte[] record = new byte[header.length + bytes.length];
      System.arraycopy(header, 0, record, 0, header.length);
      System.arraycopy(bytes, 0, record, header.length, bytes.length);
      records.add(record);
    }

    void serve(HttpExchange exchange) throws IOException, InterruptedException {
      exchange.getResponseHeaders().add("Content-Type", PROTOBUF);
      exchange.getResponseHeaders().add("Mesos-Stream-Id", id);
      exchange.sendResponseHeaders(200, 0);
      try (OutputStream body = exchange.getResponseBody()) {
        body.flush();
        while (!over || !records.isEmpty()) {
          byte[] record = records.poll((long) (HEARTBEAT_SECONDS * 1000), TimeUnit.MILLISECONDS);
          if (record == null) {
            send(Event.newBuilder().setType(Event.Type.HEARTBEAT).build());
          } else if (!silent) {
            body.write(record);
            body.flush();
          }
        }
      } finally {
        ended.countDown();
      }
    }
  }

  TestMaster(ClusterFixture cluster) throws IOException {
    this(cluster, Optional.empty(), 0);
  }

  TestMaster(ClusterFixture cluster, Optional<SSLContext> tls, int port) throws IOException {
    this.cluster = cluster;
    InetSocketAddress anywhere = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    if (tls.isPresent()) {
      HttpsServer https = HttpsServer.create(anywhere, 0);
      https.setHttpsConfigurator(new HttpsConfigurator(tls.get()));
      server = https;
    } else {
      server = HttpServer.create(anywhere, 0);
    }
    server.setExecutor(threads);
    server.createContext("/api/v1/scheduler", this::scheduler);
    agent = new TestAgent(cluster.directory(), server);
    server.start();
  }

  int port() {
    return server.getAddress().getPort();
  }

  String address() {
    return "localhost:" + port();
  }

  /** No offer is made any more. */
  void withholdOffers() {
    withholding = true;
  }

  /** The next calls are answered with 503. */
  void beBusy(int times) {
    busy.set(times);
  }

  /** No byte is sent any more, and no connection ended. */
  void fallSilent() {
    silent = true;
  }

  /**
   * Does something when the next such call comes in.
   *
   * @param done whether to wait until what it asks for is done; it is not answered in any case
   */
  void at(Call.Type call, boolean done, Runnable then) {
    moment.set(new Moment(call, done, then));
  }

  private boolean isTheMoment(Call call, boolean done) {
    Moment awaited = moment.get();
    if (awaited == null || awaited.done() != done || awaited.type() != call.getType()) {
      return false;
    }
    moment.set(null);
    awaited.then().run();
    return true;
  }

  /** The events' connection ends in the middle of a record. */
  void cutInTheMiddleOfARecord() {
    stream.ifPresent(
        now -> {
          now.records.add("100\nabc".getBytes(StandardCharsets.US_ASCII));
          now.over = true;
        });
  }

  /** Another master leads from now on; this one's subscribers are let go. */
  void giveWayTo(String address) {
    leader = Optional.of(URI.create("//" + address));
    stream.ifPresent(now -> now.over = true);
  }

  /** Requests must have this header from now on; none if null. */
  void want(String header) {
    authorization = Optional.ofNullable(header);
  }

  /** What was asked so far. */
  List<Call> calls(Call.Type type) {
    return calls.stream().filter(call -> call.getType() == type).toList();
  }

  /** The next launches do not happen, and the master says so. */
  void dropLaunches(int times) {
    drops.set(times);
  }

  /** The next launches are refused as calls. */
  void refuseLaunches(int times) {
    refusals.set(times);
  }

  /** The next launches do not happen, and nobody says anything. */
  void loseLaunches(int times) {
    losses.set(times);
  }

  /** The next launches happen, and a proxy answers with 502. */
  void failLaunchesInAProxy(int times) {
    proxyErrors.set(times);
  }

  /** Acknowledgements are answered once there are so many that are not. */
  void answerAcknowledgementsTogether(int count) {
    acknowledgements = new CountDownLatch(count);
  }

  /** Kills do nothing from now on. */
  void loseKills() {
    losesKills = true;
  }

  /** Nobody can subscribe with a role from now on. */
  void refuseRole(String role) {
    refusedRole = Optional.of(role);
  }

  /** Each offer is made as two of the same agent from now on. */
  void splitOffers() {
    halves.begin(Optional.empty());
  }

  /**
   * Each offer is made as two from now on, the second one of another agent.
   *
   * @param address where the HTTP API of the other agent is
   */
  void addAgent(String address) {
    halves.begin(Optional.of(address));
  }

  /** The agent's address has this host name from now on. */
  void agentHost(String name) {
    agentHost = name;
  }

  /** The agent is to be taken down, or not if this is empty. */
  void maintain(Optional<Unavailability> when) {
    maintenance = when;
  }

  /** The next requests to the agent get no answer. */
  void agentAway(int times) {
    agent.away(times);
  }

  /** The framework is gone for good. */
  void removeFramework() {
    calls(Call.Type.SUBSCRIBE).forEach(call -> removed.add(call.getFrameworkId().getValue()));
    calls.stream().map(call -> call.getFrameworkId().getValue()).forEach(removed::add);
    removed.remove("");
    say(error("Framework has been removed"));
    stream.ifPresent(now -> now.over = true);
  }

  /** An agent is gone for good, and the master says so. */
  void removeAgent(String id) {
    say(
        Event.newBuilder()
            .setType(Event.Type.FAILURE)
            .setFailure(Event.Failure.newBuilder().setAgentId(AgentID.newBuilder().setValue(id)))
            .build());
  }

  /** Says something right after each subscription. */
  void greetWith(Event event) {
    greeting = Optional.of(event);
  }

  /** Says something out of turn. */
  void say(Event event) {
    stream.ifPresent(now -> now.send(event));
  }

  static Event error(String message) {
    return Event.newBuilder()
        .setType(Event.Type.ERROR)
        .setError(Event.Error.newBuilder().setMessage(message))
        .build();
  }

  /** Says of a task that it is in a state, as a master does of its own accord. */
  void say(String task, TaskState state, TaskStatus.Reason reason) {
    say(
        Event.newBuilder()
            .setType(Event.Type.UPDATE)
            .setUpdate(
                Event.Update.newBuilder()
                    .setStatus(
                        TaskStatus.newBuilder()
                            .setTaskId(TaskID.newBuilder().setValue(task))
                            .setAgentId(AgentID.newBuilder().setValue("agent"))
                            .setState(state)
                            .setReason(reason)
                            .setSource(TaskStatus.Source.SOURCE_MASTER)
                            .setMessage("said by the master")))
            .build());
  }

  /** The agent's {@code /api/v1} is forbidden, its {@code /files/read} is not. */
  void forbidAgentApi() {
    agent.forbidApi();
  }

  private void scheduler(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      String given = exchange.getRequestHeaders().getFirst("Authorization");
      if (authorization.isPresent() && !authorization.get().equals(given)) {
        exchange.getResponseHeaders().add("WWW-Authenticate", "Basic realm=\"mesos\"");
        answer(exchange, 401, "401 Unauthorized.");
      } else if (leader.isPresent()) {
        exchange.getResponseHeaders().add("Location", leader.get() + "/master/api/v1/scheduler");
        answer(exchange, 307, "");
      } else {
        call(exchange, Call.parseFrom(body));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void call(HttpExchange exchange, Call call) throws IOException, InterruptedException {
    String id = exchange.getRequestHeaders().getFirst("Mesos-Stream-Id");
    calls.add(call);
    if (isTheMoment(call, false)) {
      return;
    }
    if (call.getType() == Call.Type.SUBSCRIBE) {
      if (id != null) {
        answer(exchange, 400, "Subscribe calls should not include the 'Mesos-Stream-Id' header");
        return;
      }
      subscribe(exchange, call);
    } else if (stream.isEmpty() || stream.get().over) {
      answer(exchange, 403, "Framework is not subscribed");
    } else if (call.hasAccept() && refusals.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      answer(exchange, 400, "Failed to validate scheduler::Call: no launches today");
    } else if (busy.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      answer(exchange, 503, "");
    } else {
      try {
        if (!handle(call, id)) {
          answer(
              exchange,
              400,
              "The stream ID '%s' included in this request didn't match the stream ID currently"
                      .formatted(id)
                  + " associated with framework ID");
          return;
        }
        if (isTheMoment(call, true)) {
          return;
        }
        if (call.hasAccept() && proxyErrors.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
          answer(exchange, 502, "<html>Bad Gateway</html>");
          return;
        }
        if (call.getType() == Call.Type.TEARDOWN) {
          stream.get().over = true;
          stream.get().ended.await();
        }
        if (call.getType() == Call.Type.ACKNOWLEDGE) {
          acknowledgements.countDown();
          acknowledgements.await();
        }
        answer(exchange, 202, "");
      } catch (CompletionException e) {
        answer(exchange, 400, e.getCause().getMessage());
      }
    }
  }

  /**
   * Handles a call if it came over the current stream. Calls are handled one after the other: once
   * a framework has subscribed, no call of its stream before is.
   *
   * @return whether it came over the current stream
   */
  private synchronized boolean handle(Call call, String streamId) {
    if (!stream.get().id.equals(streamId)) {
      return false;
    }
    if (call.hasAccept() ? !isHeldBack(call) : !(call.hasKill() && losesKills)) {
      cluster.call(halves.whole(call)).join();
    }
    return true;
  }

  private boolean isHeldBack(Call accept) {
    if (losses.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      return true;
    }
    if (drops.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      accept.getAccept().getOperationsList().stream()
          .flatMap(operation -> operation.getLaunch().getTaskInfosList().stream())
          .forEach(
              task ->
                  say(
                      task.getTaskId().getValue(),
                      TaskState.TASK_DROPPED,
                      TaskStatus.Reason.REASON_AGENT_DISCONNECTED));
      cluster
          .call(
              Call.newBuilder()
                  .setType(Call.Type.DECLINE)
                  .setFrameworkId(accept.getFrameworkId())
                  .setDecline(
                      Call.Decline.newBuilder()
                          .addAllOfferIds(accept.getAccept().getOfferIdsList()))
                  .build())
          .join();
      return true;
    }
    return false;
  }

  private void subscribe(HttpExchange exchange, Call call)
      throws IOException, InterruptedException {
    Stream mine = newStream(call);
    if (isTheMoment(call, true)) {
      return;
    }
    mine.serve(exchange);
  }

  /** Ends the stream before. */
  private synchronized Stream newStream(Call call) {
    stream.ifPresent(
        old -> {
          old.send(error("Framework failed over"));
          old.over = true;
        });
    Stream mine = new Stream();
    stream = Optional.of(mine);
    if (removed.contains(call.getFrameworkId().getValue())) {
      mine.send(error("Framework has been removed"));
      mine.over = true;
    } else if (refusedRole
        .filter(call.getSubscribe().getFrameworkInfo().getRolesList()::contains)
        .isPresent()) {
      mine.send(
          error("Roles { " + refusedRole.get() + " } are not present in the master's --roles"));
      mine.over = true;
    } else {
      cluster.subscriber(
          event -> {
            if (!(withholding && event.hasOffers())) {
              mine.send(asAMasterWould(event));
            }
          });
      cluster.call(call).join();
      greeting.ifPresent(mine::send);
    }
    return mine;
  }

  private Event asAMasterWould(Event event) {
    Event.Builder changed = event.toBuilder();
    if (event.hasSubscribed()) {
      changed.getSubscribedBuilder().setHeartbeatIntervalSeconds(HEARTBEAT_SECONDS);
      changed
          .getSubscribedBuilder()
          .getMasterInfoBuilder()
          .setId("master")
          .setIp(0x0100007f)
          .setHostname("localhost")
          .setPort(port());
    }
    for (Offer.Builder offer : changed.getOffersBuilder().getOffersBuilderList()) {
      offer.setUrl(
          URL.newBuilder()
              .setScheme("http")
              .setPath("/slave(1)")
              .setAddress(
                  Address.newBuilder().setHostname(agentHost).setIp("127.0.0.1").setPort(port())));
      maintenance.ifPresent(offer::setUnavailability);
    }
    if (!event.hasOffers()) {
      changed.clearOffers();
    }
    if (event.hasUpdate()) {
      // Mesos' command executor sends no output along.
      changed.getUpdateBuilder().getStatusBuilder().clearData();
    }
    return halves.split(changed.build());
  }

  static void answer(HttpExchange exchange, int status, String text) throws IOException {
    answer(exchange, status, text.getBytes(StandardCharsets.UTF_8));
  }

  static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    if (body.length > 0) {
      exchange.getResponseBody().write(body);
    }
  }

  @Override
  public void close() {
    stream.ifPresent(now -> now.over = true);
    server.stop(0);
    threads.shutdownNow();
  }
}

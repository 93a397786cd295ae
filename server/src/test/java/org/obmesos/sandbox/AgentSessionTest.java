// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.mesos.v1.agent.Protos.Call;
import org.apache.mesos.v1.agent.Protos.ProcessIO;
import org.apache.mesos.v1.agent.Protos.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.obmesos.cluster.TestBlocks;
import org.obmesos.cluster.TestCertificate;
import org.obmesos.driver.MesosHttpClient;
import org.obmesos.driver.RecordIo;
import org.obmesos.task.LaunchState;
import org.obmesos.task.Task;
import org.obmesos.task.TaskLocation;

/**
 * A session with an agent that says what a real one has said (session.jsonl), and takes only what
 * that one was sent.
 */
final class AgentSessionTest {
  private static final int SECONDS = 20;

  private final BlockingQueue<Call> received = new LinkedBlockingQueue<>();
  private final BlockingQueue<Optional<ProcessIO>> output = new LinkedBlockingQueue<>();
  private final BlockingQueue<Execution.InputEvent> input = new LinkedBlockingQueue<>();
  private List<JsonObject> recording;
  private HttpServer agent;
  private final CountDownLatch done = new CountDownLatch(1);
  private final AtomicInteger checks = new AtomicInteger();
  private volatile boolean silent;
  private boolean terminal;
  private String refusal = "";
  private String url;
  private MesosHttpClient.Trust trust = MesosHttpClient.Trust.SYSTEM;
  @TempDir private Path directory;

  @BeforeEach
  void start() throws IOException {
    try (InputStream file =
        AgentSessionTest.class.getResourceAsStream(
            "/org/obmesos/driver/recordings/session.jsonl")) {
      recording =
          new String(file.readAllBytes(), StandardCharsets.UTF_8)
              .lines()
              .map(line -> JsonParser.parseString(line).getAsJsonObject())
              .toList();
    }
    listen(HttpServer.create(), "http");
  }

  private void listen(HttpServer server, String scheme) throws IOException {
    agent = server;
    agent.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    url = scheme + "://localhost:" + agent.getAddress().getPort();
    agent.createContext("/api/v1", this::handle);
    agent.createContext("/health", this::health);
    agent.setExecutor(Executors.newCachedThreadPool());
    agent.start();
  }

  /** Stops the agent and starts one that wants TLS. */
  private TestCertificate listenWithTls() throws Exception {
    TestCertificate certificate = new TestCertificate(directory);
    HttpsServer server = HttpsServer.create();
    server.setHttpsConfigurator(new HttpsConfigurator(certificate.context()));
    agent.stop(0);
    listen(server, "https");
    return certificate;
  }

  @AfterEach
  void stop() {
    output.add(Optional.empty());
    done.countDown();
    agent.stop(0);
  }

  private void health(HttpExchange exchange) throws IOException {
    try (exchange) {
      checks.incrementAndGet();
      if (silent) {
        done.await();
      }
      exchange.sendResponseHeaders(200, -1);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      if (exchange.getRequestHeaders().getFirst("Content-Type").equals("application/recordio")) {
        List<byte[]> records = new ArrayList<>();
        RecordIo parser = new RecordIo(records::add);
        byte[] buffer = new byte[1 << 16];
        for (int n = exchange.getRequestBody().read(buffer);
            n >= 0;
            n = exchange.getRequestBody().read(buffer)) {
          parser.feed(ByteBuffer.wrap(buffer, 0, n));
          for (byte[] record : records) {
            received.add(Call.parseFrom(record));
          }
          records.clear();
        }
        exchange.sendResponseHeaders(200, -1);
        return;
      }
      Call call = Call.parseFrom(exchange.getRequestBody().readAllBytes());
      received.add(call);
      switch (call.getType()) {
        case GET_CONTAINERS -> answer(exchange, recorded("what", "GET_CONTAINERS", "body"));
        case LAUNCH_NESTED_CONTAINER_SESSION -> session(exchange);
        case WAIT_NESTED_CONTAINER -> answer(exchange, recordedStatus());
        default -> exchange.sendResponseHeaders(501, -1);
      }
    }
  }

  private void session(HttpExchange exchange) throws IOException {
    if (!refusal.isEmpty()) {
      byte[] words = refusal.getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(403, words.length);
      exchange.getResponseBody().write(words);
      return;
    }
    exchange.sendResponseHeaders(200, 0);
    try (OutputStream body = exchange.getResponseBody()) {
      body.flush();
      for (Optional<ProcessIO> record = output.take(); record.isPresent(); record = output.take()) {
        byte[] bytes = record.get().toByteArray();
        body.write((bytes.length + "\n").getBytes(StandardCharsets.US_ASCII));
        body.write(bytes);
        body.flush();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void answer(HttpExchange exchange, Message response) throws IOException {
    byte[] bytes = response.toByteArray();
    exchange.sendResponseHeaders(200, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  private static <T extends Message.Builder> T parsed(String json, T builder) throws IOException {
    JsonFormat.parser().ignoringUnknownFields().merge(json, builder);
    return builder;
  }

  private Response recorded(String key, String value, String field) throws IOException {
    JsonObject line =
        recording.stream()
            .filter(it -> it.has(key) && it.get(key).getAsString().equals(value))
            .findFirst()
            .orElseThrow();
    return parsed(line.get(field).toString(), Response.newBuilder()).build();
  }

  private Response recordedStatus() throws IOException {
    JsonObject line =
        recording.stream()
            .filter(it -> it.has("what"))
            .filter(it -> it.get("what").getAsString().equals("WAIT_NESTED_CONTAINER"))
            .findFirst()
            .orElseThrow();
    return parsed(line.get("text").getAsString(), Response.newBuilder()).build();
  }

  /** Returns the lines of the session without a terminal, or of that with one. */
  private List<JsonObject> lines() {
    List<JsonObject> lines = new ArrayList<>();
    boolean in = false;
    for (JsonObject line : recording) {
      if (line.has("tty")) {
        in = line.get("tty").getAsBoolean() == terminal;
      }
      if (in) {
        lines.add(line);
      }
    }
    return lines;
  }

  private Task task() {
    JsonObject container =
        recording.stream()
            .filter(it -> it.has("what"))
            .findFirst()
            .orElseThrow()
            .getAsJsonObject("body")
            .getAsJsonObject("get_containers")
            .getAsJsonArray("containers")
            .get(0)
            .getAsJsonObject();
    return Task.submitted(1, TestBlocks.of("shell-in-me", "sleep 30"), Instant.now())
        .with(
            LaunchState.NONE.at(
                new TaskLocation(
                    container.getAsJsonObject("framework_id").get("value").getAsString(),
                    "S0",
                    "localhost",
                    url,
                    List.of(),
                    "")));
  }

  private Execution.Session begin() throws IOException {
    Optional<ExecRequest.Terminal> size =
        terminal ? Optional.of(new ExecRequest.Terminal(40, 100, "dumb")) : Optional.empty();
    MesosHttpClient http = MesosHttpClient.of(Optional.empty(), trust);
    return (Execution.Session)
        new AgentSandboxes(http, Map.of()).exec(task(), new ExecRequest(List.of("/bin/sh"), size));
  }

  private Execution.InputEvent nextInput() throws IOException {
    try {
      return input.take();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private Call next() throws InterruptedException {
    Call call = received.poll(SECONDS, TimeUnit.SECONDS);
    assertThat(call).isNotNull();
    return call;
  }

  private static ByteString all(Execution.Session session) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (Optional<Execution.Output> piece = session.read();
        piece.isPresent();
        piece = session.read()) {
      piece.get().data().writeTo(bytes);
    }
    return ByteString.copyFrom(bytes.toByteArray());
  }

  @ParameterizedTest
  @CsvSource({"false,false", "true,false", "true,true"})
  void theCallsAreThoseThatARealAgentHasTaken(boolean withTerminal, boolean withTls)
      throws Exception {
    terminal = withTerminal;
    if (withTls) {
      trust = listenWithTls().trust();
    }
    try (Execution.Session session = begin()) {
      assertThat(next().getType()).isEqualTo(Call.Type.GET_CONTAINERS);
      Call.LaunchNestedContainerSession launch = next().getLaunchNestedContainerSession();
      Call.LaunchNestedContainerSession recordedLaunch =
          parsed(lines().get(0).get("body").toString(), Call.newBuilder())
              .getLaunchNestedContainerSession();
      assertThat(launch.getContainerId().getParent())
          .isEqualTo(recordedLaunch.getContainerId().getParent());
      assertThat(launch.getContainer().hasTtyInfo()).isEqualTo(withTerminal);
      assertThat(launch.getCommand().getValue()).isEqualTo("/bin/sh");
      session.attach(this::nextInput);
      ByteString expected = ByteString.EMPTY;
      List<Call.AttachContainerInput> size = new ArrayList<>();
      for (JsonObject line : lines()) {
        String kind = line.get("dir").getAsString();
        if (kind.equals("output")) {
          ProcessIO record = parsed(line.get("record").toString(), ProcessIO.newBuilder()).build();
          expected = expected.concat(record.getData().getData());
          output.add(Optional.of(record));
        } else if (kind.equals("input")) {
          Call.AttachContainerInput sent =
              parsed(line.get("record").toString(), Call.newBuilder()).getAttachContainerInput();
          if (sent.getProcessIo().getType() == ProcessIO.Type.DATA) {
            ByteString bytes = sent.getProcessIo().getData().getData();
            input.add(
                bytes.isEmpty()
                    ? new Execution.InputEvent.End()
                    : new Execution.InputEvent.Data(bytes));
          }
          if (sent.getProcessIo().getControl().hasTtyInfo()) {
            size.add(sent);
            continue;
          }
          // It comes before there is more input: the user waits for an echo.
          Call.AttachContainerInput received = next().getAttachContainerInput();
          if (sent.getType() == Call.AttachContainerInput.Type.CONTAINER_ID) {
            assertThat(received.getContainerId()).isEqualTo(launch.getContainerId());
          } else {
            assertThat(received).isEqualTo(sent);
          }
        }
      }
      output.add(Optional.empty());
      assertThat(received).isEmpty();
      assertThat(all(session)).isEqualTo(expected);
      for (Call.AttachContainerInput sent : size) {
        // The launcher would exit on a size that comes before the command has started.
        assertThat(next().getAttachContainerInput()).isEqualTo(sent);
      }
      assertThat(session.waitStatus()).contains(7 << 8);
    }
  }

  @Test
  void aSessionEndsWhenItsAgentDoesNotAnswerAnyMore() throws Exception {
    Call launch = Call.newBuilder().setType(Call.Type.LAUNCH_NESTED_CONTAINER_SESSION).build();
    AgentHttpClient client =
        new AgentHttpClient(
            MesosHttpClient.of(Optional.empty(), MesosHttpClient.Trust.SYSTEM), URI.create(url));
    try (AgentSession session =
        AgentSession.start(client, launch, Optional.empty(), Duration.ofMillis(10))) {
      await().until(() -> checks.get() > 5);
      silent = true;
      assertThatThrownBy(session::read)
          .isInstanceOf(IOException.class)
          .hasMessage("the agent does not answer any more");
    }
  }

  @Test
  void aSessionEndsWithItsClientAlsoAfterTheEndOfTheInput() throws Exception {
    Execution.Session session = begin();
    BlockingQueue<Execution.InputEvent> events =
        new LinkedBlockingQueue<>(List.of(new Execution.InputEvent.End()));
    CountDownLatch gone = new CountDownLatch(1);
    session.attach(
        () -> {
          Execution.InputEvent event = events.poll();
          if (event == null) {
            // As at the end of the client's connection.
            session.close();
            gone.countDown();
            throw new EOFException();
          }
          return event;
        });
    assertThat(gone.await(SECONDS, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aNewSizeOfTheTerminalIsPassedOn() throws Exception {
    terminal = true;
    try (Execution.Session session = begin()) {
      session.attach(this::nextInput);
      input.add(new Execution.InputEvent.Resize(50, 120));
      output.add(
          Optional.of(
              ProcessIO.newBuilder()
                  .setType(ProcessIO.Type.DATA)
                  .setData(
                      ProcessIO.Data.newBuilder()
                          .setType(ProcessIO.Data.Type.STDOUT)
                          .setData(ByteString.copyFromUtf8("$ ")))
                  .build()));
      assertThat(session.read()).isPresent();
      Call last = next();
      while (last.getAttachContainerInput()
              .getProcessIo()
              .getControl()
              .getTtyInfo()
              .getWindowSize()
              .getRows()
          != 50) {
        last = next();
      }
      assertThat(
              last.getAttachContainerInput()
                  .getProcessIo()
                  .getControl()
                  .getTtyInfo()
                  .getWindowSize()
                  .getColumns())
          .isEqualTo(120);
    }
  }

  @Test
  void anAgentWhoseCertificateIsNotTrustedIsSaidToBeSo() throws Exception {
    var unused = listenWithTls();
    assertThatThrownBy(this::begin)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("certificate is not trusted");
  }

  @Test
  void aRefusalIsInTheWordsOfTheAgent() {
    refusal = "Not authorized to launch a nested container session";
    assertThatThrownBy(this::begin)
        .isInstanceOf(IOException.class)
        .hasMessage("the agent refuses a session: " + refusal);
  }

  @Test
  void aLostConnectionIsNoEndOfTheCommand() throws Exception {
    try (Execution.Session session = begin()) {
      agent.stop(0);
      assertThatThrownBy(session::read).isInstanceOf(IOException.class);
    }
  }
}

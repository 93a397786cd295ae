// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Flow;
import java.util.concurrent.SubmissionPublisher;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.apache.mesos.v1.Protos.ContainerID;
import org.apache.mesos.v1.Protos.ContainerInfo;
import org.apache.mesos.v1.Protos.DurationInfo;
import org.apache.mesos.v1.Protos.Environment;
import org.apache.mesos.v1.Protos.TTYInfo;
import org.apache.mesos.v1.agent.Protos.Call;
import org.apache.mesos.v1.agent.Protos.ProcessIO;
import org.apache.mesos.v1.agent.Protos.Response;
import org.obmesos.driver.MesosHttpClient;
import org.obmesos.driver.RecordIo;
import org.obmesos.util.NamedExecutors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A session in a nested container of a task's container (Mesos' docs/container-interactive.md). The
 * agent ends the command when the connection ends that has started it.
 */
final class AgentSession implements Execution.Session {
  private static final Logger log = LoggerFactory.getLogger(AgentSession.class);
  private static final String RECORDS = "application/recordio";
  private static final Duration HEARTBEAT = Duration.ofSeconds(30);
  private static final Duration WATCH = Duration.ofSeconds(10);
  private static final int BUFFER = 64 * 1024;
  private static final int MAX_WAITING = 16;
  private static final int CLIENT_ERROR = 4;
  private static final ExecutorService THREADS = NamedExecutors.cached("exec-input");

  private final AgentHttpClient agent;
  private final ContainerID container;
  private final Optional<ExecRequest.Terminal> terminal;
  private final InputStream stream;
  private final AgentWatch watch;
  private final Queue<byte[]> records = new ArrayDeque<>();
  private final RecordIo parser = new RecordIo(records::add);
  private final byte[] buffer = new byte[BUFFER];
  private volatile boolean lost;

  private boolean hasWritten;
  private Optional<Runnable> pendingResize = Optional.empty();

  private AgentSession(
      AgentHttpClient agent,
      ContainerID container,
      Optional<ExecRequest.Terminal> terminal,
      InputStream stream,
      Duration interval) {
    this.agent = agent;
    this.container = container;
    this.terminal = terminal;
    this.stream = stream;
    this.watch = new AgentWatch(agent, interval, this::agentLost);
  }

  private void agentLost() {
    lost = true;
    close();
  }

  /**
   * Starts a command.
   *
   * @param parent the container of the task
   * @param variables the environment of the command, besides that of the container
   * @throws IOException if the agent refuses it, with its words
   */
  static AgentSession start(
      AgentHttpClient agent, ContainerID parent, Map<String, String> variables, ExecRequest request)
      throws IOException {
    return start(agent, launch(parent, variables, request), request.terminal(), WATCH);
  }

  private static Call launch(
      ContainerID parent, Map<String, String> variables, ExecRequest request) {
    ContainerID container =
        ContainerID.newBuilder().setParent(parent).setValue(UUID.randomUUID().toString()).build();
    CommandInfo.Builder command =
        CommandInfo.newBuilder()
            .setShell(false)
            .setValue(request.command().get(0))
            .addAllArguments(request.command());
    Call.LaunchNestedContainerSession.Builder launch =
        Call.LaunchNestedContainerSession.newBuilder().setContainerId(container);
    Map<String, String> environment = new LinkedHashMap<>(variables);
    request
        .terminal()
        .ifPresent(
            terminal -> {
              environment.put("TERM", terminal.type());
              launch.setContainer(
                  ContainerInfo.newBuilder()
                      .setType(ContainerInfo.Type.MESOS)
                      .setTtyInfo(size(terminal.rows(), terminal.columns())));
            });
    environment.forEach(
        (name, value) ->
            command
                .getEnvironmentBuilder()
                .addVariables(Environment.Variable.newBuilder().setName(name).setValue(value)));
    return Call.newBuilder()
        .setType(Call.Type.LAUNCH_NESTED_CONTAINER_SESSION)
        .setLaunchNestedContainerSession(launch.setCommand(command))
        .build();
  }

  /**
   * Sends a launch.
   *
   * @param interval how often to find out whether the agent still answers
   */
  static AgentSession start(
      AgentHttpClient agent, Call call, Optional<ExecRequest.Terminal> terminal, Duration interval)
      throws IOException {
    HttpResponse<InputStream> response =
        agent.stream(
            agent
                .request("/api/v1")
                .setHeader("Accept", RECORDS)
                .header("Message-Accept", MesosHttpClient.PROTOBUF)
                .header("Content-Type", MesosHttpClient.PROTOBUF)
                .POST(HttpRequest.BodyPublishers.ofByteArray(call.toByteArray())));
    if (response.statusCode() != 200) {
      try (InputStream body = response.body()) {
        throw new IOException(
            "the agent refuses a session: "
                + new String(body.readAllBytes(), StandardCharsets.UTF_8).strip());
      }
    }
    return new AgentSession(
        agent,
        call.getLaunchNestedContainerSession().getContainerId(),
        terminal,
        response.body(),
        interval);
  }

  private static TTYInfo size(int rows, int columns) {
    return TTYInfo.newBuilder()
        .setWindowSize(TTYInfo.WindowSize.newBuilder().setRows(rows).setColumns(columns))
        .build();
  }

  @Override
  public Optional<Execution.Output> read() throws IOException {
    while (true) {
      while (!records.isEmpty()) {
        ProcessIO record = ProcessIO.parseFrom(records.remove());
        if (record.getType() == ProcessIO.Type.DATA && !record.getData().getData().isEmpty()) {
          written();
          return Optional.of(
              new Execution.Output(
                  record.getData().getType() == ProcessIO.Data.Type.STDERR,
                  record.getData().getData()));
        }
      }
      int count = readStream();
      if (count < 0) {
        return Optional.empty();
      }
      parser.feed(ByteBuffer.wrap(buffer, 0, count));
    }
  }

  private int readStream() throws IOException {
    try {
      int count = stream.read(buffer);
      if (count >= 0 || !lost) {
        return count;
      }
    } catch (IOException e) {
      if (!lost) {
        throw e;
      }
      log.debug("the connection of a session was closed", e);
    }
    throw new IOException("the agent does not answer any more");
  }

  /**
   * {@inheritDoc}
   *
   * <p>The client of the JDK writes a piece of a stream only after it has got the next one, so the
   * records are published by a thread.
   */
  @Override
  public void attach(Execution.Input input) {
    SubmissionPublisher<ByteBuffer> body = new SubmissionPublisher<>(THREADS, MAX_WAITING);
    Flow.Publisher<ByteBuffer> publisher =
        subscriber -> {
          body.subscribe(subscriber);
          THREADS.execute(() -> publish(input, body));
        };
    try {
      var unused =
          agent
              .sendAsync(
                  agent
                      .request("/api/v1")
                      .header("Content-Type", RECORDS)
                      .header("Message-Content-Type", MesosHttpClient.PROTOBUF)
                      .POST(HttpRequest.BodyPublishers.fromPublisher(publisher)))
              .whenComplete(
                  (response, failure) -> {
                    log.debug(
                        "the input of a session has ended: {}",
                        failure == null ? response.statusCode() : failure.toString());
                    // At the end of a command with a terminal an agent answers with 500.
                    if (failure == null && response.statusCode() / 100 == CLIENT_ERROR) {
                      close();
                    }
                  });
    } catch (IOException e) {
      log.debug("no input for a session", e);
    }
  }

  private void publish(Execution.Input input, SubmissionPublisher<ByteBuffer> body) {
    try {
      body.submit(
          record(
              Call.AttachContainerInput.newBuilder()
                  .setType(Call.AttachContainerInput.Type.CONTAINER_ID)
                  .setContainerId(container)));
      body.submit(heartbeat());
      // The agent does not set the size that the session was launched with.
      terminal.ifPresent(it -> resize(body, it.rows(), it.columns()));
      while (body.hasSubscribers()) {
        Execution.InputEvent event = input.next();
        if (event instanceof Execution.InputEvent.Resize resize) {
          resize(body, resize.rows(), resize.columns());
        } else if (event instanceof Execution.InputEvent.Data data) {
          body.submit(data(data.bytes()));
        } else {
          body.submit(data(ByteString.EMPTY));
          body.close();
          awaitEnd(input);
        }
      }
      body.close();
    } catch (IOException | RuntimeException e) {
      log.debug("the client of a session has gone", e);
      body.closeExceptionally(e);
    }
  }

  /**
   * Sends a size of the terminal once the command has written something: the launcher of Mesos
   * exits on a SIGWINCH that comes before it has started the command (launch.cpp, signalHandler).
   */
  private void resize(SubmissionPublisher<ByteBuffer> body, int rows, int columns) {
    Runnable send =
        () -> {
          try {
            body.submit(resize(rows, columns));
          } catch (IllegalStateException e) {
            log.debug("the input of a session has ended", e);
          }
        };
    synchronized (this) {
      if (!hasWritten) {
        pendingResize = Optional.of(send);
        return;
      }
    }
    // It waits while there is too much input; the output is read meanwhile.
    send.run();
  }

  private synchronized void written() {
    if (!hasWritten) {
      hasWritten = true;
      pendingResize.ifPresent(THREADS::execute);
    }
  }

  /** Reads on after the end of the input: that fails when the client has gone. */
  private static void awaitEnd(Execution.Input input) throws IOException {
    while (true) {
      var unused = input.next();
    }
  }

  /** Mesos 1.4 has no WAIT_CONTAINER, which replaces the call. */
  @SuppressWarnings("deprecation")
  @Override
  public Optional<Integer> waitStatus() throws IOException {
    Call call =
        Call.newBuilder()
            .setType(Call.Type.WAIT_NESTED_CONTAINER)
            .setWaitNestedContainer(Call.WaitNestedContainer.newBuilder().setContainerId(container))
            .build();
    // A command can close its output and go on.
    HttpResponse<byte[]> response = agent.await(call);
    if (response.statusCode() != 200) {
      log.debug("the end of a session is not known: {}", response.statusCode());
      return Optional.empty();
    }
    Response.WaitNestedContainer end = Response.parseFrom(response.body()).getWaitNestedContainer();
    return end.hasExitStatus() ? Optional.of(end.getExitStatus()) : Optional.empty();
  }

  @Override
  public void close() {
    watch.close();
    try {
      stream.close();
    } catch (IOException e) {
      log.debug("the connection of a session cannot be closed", e);
    }
  }

  // Records of ATTACH_CONTAINER_INPUT.

  private static ByteBuffer heartbeat() {
    return control(
        ProcessIO.Control.newBuilder()
            .setType(ProcessIO.Control.Type.HEARTBEAT)
            .setHeartbeat(
                ProcessIO.Control.Heartbeat.newBuilder()
                    .setInterval(DurationInfo.newBuilder().setNanoseconds(HEARTBEAT.toNanos()))));
  }

  private static ByteBuffer resize(int rows, int columns) {
    return control(
        ProcessIO.Control.newBuilder()
            .setType(ProcessIO.Control.Type.TTY_INFO)
            .setTtyInfo(size(rows, columns)));
  }

  private static ByteBuffer control(ProcessIO.Control.Builder control) {
    return processIo(ProcessIO.newBuilder().setType(ProcessIO.Type.CONTROL).setControl(control));
  }

  private static ByteBuffer data(ByteString bytes) {
    return processIo(
        ProcessIO.newBuilder()
            .setType(ProcessIO.Type.DATA)
            .setData(
                ProcessIO.Data.newBuilder().setType(ProcessIO.Data.Type.STDIN).setData(bytes)));
  }

  private static ByteBuffer processIo(ProcessIO.Builder io) {
    return record(
        Call.AttachContainerInput.newBuilder()
            .setType(Call.AttachContainerInput.Type.PROCESS_IO)
            .setProcessIo(io));
  }

  private static ByteBuffer record(Call.AttachContainerInput.Builder attach) {
    byte[] message =
        Call.newBuilder()
            .setType(Call.Type.ATTACH_CONTAINER_INPUT)
            .setAttachContainerInput(attach)
            .build()
            .toByteArray();
    byte[] header = (message.length + "\n").getBytes(StandardCharsets.US_ASCII);
    return ByteBuffer.allocate(header.length + message.length).put(header).put(message).flip();
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.obmesos.executor.ExecutorProgram;
import org.obmesos.util.UnixSockets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection to the supervisor, the process that runs the tasks of a work directory. It continues
 * when this server exits. The messages are described in supervisor.pl. The specification of a task
 * is sent over a socket in a private directory, not in arguments of a process, because all users of
 * the machine can read these.
 */
final class Supervisor implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Supervisor.class);
  private static final String SOCKET = "supervisor.sock";
  private static final String SCRIPT = "supervisor.pl";

  private static final int START_ATTEMPTS = 3;

  private final SocketChannel channel;
  private final BufferedReader lines;
  private final Map<String, Long> running = new HashMap<>();
  private final Set<String> sessions = ConcurrentHashMap.newKeySet();
  private final boolean namesSessions;
  private boolean lost;

  /** Receives what the supervisor says, on a thread of the connection. */
  interface Listener {
    /** The process of a task has started. */
    void started(String taskId, long process);

    /** A task has ended; its exit file is written. */
    void ended(String taskId);

    /** A task cannot be started. */
    void failed(String taskId, String message);

    /** A session has ended, after the task that it ran. */
    void sessionEnded(String id);

    /** The connection has ended although it was not closed: the supervisor was killed. */
    void lost(Supervisor supervisor);
  }

  /**
   * Connects to the supervisor of a work directory that an earlier server has started.
   *
   * @return empty if there is none
   */
  static Optional<Supervisor> find(Path work) throws IOException {
    if (!Files.exists(work.resolve(SOCKET))) {
      return Optional.empty();
    }
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      UnixSockets.withAddress(work.resolve(SOCKET), channel::connect);
      return Optional.of(new Supervisor(channel));
    } catch (IOException e) {
      log.debug("no supervisor", e);
      channel.close();
      return Optional.empty();
    }
  }

  /**
   * Starts a supervisor unless there is one, and connects to it.
   *
   * @throws IOException if that is not possible, with a message for the user
   */
  static Supervisor start(Path work) throws IOException {
    for (int attempt = 0; attempt < START_ATTEMPTS; attempt++) {
      // An earlier one without tasks may be about to end.
      Optional<Supervisor> found = find(work);
      if (found.isPresent()) {
        return found.get();
      }
      startProcess(work);
    }
    throw new IOException("the supervisor ends as soon as it is started");
  }

  private static void startProcess(Path work) throws IOException {
    Path errors = work.resolve("supervisor.log");
    ProcessBuilder builder =
        new ProcessBuilder("perl", work.resolve(SCRIPT).toString(), work.toString())
            .redirectError(errors.toFile());
    // Perl warns of a locale that does not exist.
    builder.environment().keySet().retainAll(Set.of("PATH"));
    Process process = builder.start();
    process.getOutputStream().close();
    try (BufferedReader output =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      if (output.readLine() == null) {
        throw new IOException(
            "the supervisor did not start: "
                + Files.readString(errors, StandardCharsets.ISO_8859_1).trim());
      }
    }
  }

  /** Writes the program into a work directory. */
  static void install(Path work) throws IOException {
    Path temporary = work.resolve(SCRIPT + ".new");
    Files.writeString(temporary, ExecutorProgram.supervisor());
    Files.move(temporary, work.resolve(SCRIPT), StandardCopyOption.ATOMIC_MOVE);
  }

  private Supervisor(SocketChannel channel) throws IOException {
    this.channel = channel;
    this.lines =
        new BufferedReader(
            new InputStreamReader(UnixSockets.input(channel), StandardCharsets.UTF_8));
    JsonObject subscribed = message(lines.readLine());
    subscribed
        .getAsJsonObject("tasks")
        .entrySet()
        .forEach(task -> running.put(task.getKey(), task.getValue().getAsLong()));
    namesSessions = subscribed.has("sessions");
    if (namesSessions) {
      subscribed.getAsJsonArray("sessions").forEach(id -> sessions.add(id.getAsString()));
    }
  }

  private static JsonObject message(String line) throws IOException {
    if (line == null) {
      throw new IOException("the supervisor has ended");
    }
    return JsonParser.parseString(line).getAsJsonObject();
  }

  /** It was killed. Used on the cluster's thread, as {@link #isLost}. */
  void setLost() {
    lost = true;
  }

  boolean isLost() {
    return lost;
  }

  /** Returns the tasks that ran when the connection was made, with their processes. */
  Map<String, Long> running() {
    return running;
  }

  /** Reports what the supervisor says from now on. */
  void listen(Listener listener) {
    Thread thread = new Thread(() -> read(listener), "local-supervisor");
    thread.setDaemon(true);
    thread.start();
  }

  private void read(Listener listener) {
    try {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        JsonObject message = message(line);
        String id = message.get("id").getAsString();
        switch (message.get("type").getAsString()) {
          case "STARTED" -> listener.started(id, message.get("process").getAsLong());
          case "ENDED" -> listener.ended(id);
          case "SESSION_ENDED" -> sessionEnded(listener, id);
          case "FAILED" -> listener.failed(id, message.get("message").getAsString().trim());
          default -> log.warn("the supervisor says {}", line);
        }
      }
    } catch (IOException | RuntimeException e) {
      log.debug("the connection to the supervisor has ended", e);
    }
    if (channel.isOpen()) {
      listener.lost(this);
      sessions.forEach(id -> sessionEnded(listener, id));
      close();
    }
  }

  private void sessionEnded(Listener listener, String id) {
    sessions.remove(id);
    listener.sessionEnded(id);
  }

  /**
   * Returns whether a session has ended. A supervisor of version 0.2 does not tell of sessions, so
   * they count as live.
   */
  boolean hasEnded(String session) {
    return namesSessions && !sessions.contains(session);
  }

  /** Sets the environment of tasks, besides what their specifications say. */
  void setEnvironment(Map<String, String> environment) throws IOException {
    JsonObject variables = new JsonObject();
    environment.forEach(variables::addProperty);
    JsonObject message = new JsonObject();
    message.addProperty("type", "ENVIRONMENT");
    message.add("environment", variables);
    send(message);
  }

  /** Launches a task. */
  void launch(String taskId, JsonObject specification) throws IOException {
    JsonObject message = new JsonObject();
    message.addProperty("type", "LAUNCH");
    message.addProperty("id", taskId);
    message.add("spec", specification);
    if (specification.has("session")) {
      sessions.add(specification.getAsJsonObject("session").get("id").getAsString());
    }
    send(message);
  }

  /** Kills a task, with its grace period. */
  void kill(String taskId) throws IOException {
    JsonObject message = new JsonObject();
    message.addProperty("type", "KILL");
    message.addProperty("id", taskId);
    send(message);
  }

  /** Ends a session; an empty id is that of all sessions. */
  void endSession(String id) throws IOException {
    JsonObject message = new JsonObject();
    message.addProperty("type", "END_SESSION");
    message.addProperty("id", id);
    send(message);
  }

  private synchronized void send(JsonObject message) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap((message + "\n").getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** Closes the connection. The supervisor goes on until its tasks have ended. */
  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      log.debug("the connection to the supervisor cannot be closed", e);
    }
  }
}

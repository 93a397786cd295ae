// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The server as a process, over real pipes. */
public final class ServerProcess implements AutoCloseable {
  private final Path log = temporary();
  private final Process process;
  private final OutputStream in;
  private final InputStream out;
  private int requests;

  /** Starts one with that state directory and those arguments. */
  public ServerProcess(Path state, String... arguments) throws IOException {
    this(
        Map.of(),
        Stream.concat(Stream.of("--state-dir", state.toString()), Stream.of(arguments)).toList());
  }

  /** Starts one with those variables in its environment and those arguments only. */
  public ServerProcess(Map<String, String> environment, List<String> arguments) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command(arguments)).redirectError(log.toFile());
    // As all that start the server do where there is no locale with UTF-8.
    builder.environment().put("LC_ALL", "C.UTF-8");
    builder.environment().putAll(environment);
    process = builder.start();
    in = process.getOutputStream();
    out = process.getInputStream();
  }

  /** The command that starts a server with those arguments. */
  public static List<String> command(List<String> arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Xmx192m",
                "-cp",
                System.getProperty("java.class.path"),
                "org.obmesos.Main"));
    command.addAll(arguments);
    return command;
  }

  private static Path temporary() {
    try {
      Path file = Files.createTempFile("server", ".log");
      file.toFile().deleteOnExit();
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What it has written to stderr. */
  public String log() throws IOException {
    return Files.readString(log);
  }

  /** The most memory it has used so far, in bytes. */
  long peakMemory() throws IOException {
    return Files.readAllLines(Path.of("/proc", "" + process.pid(), "status")).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
        .sum();
  }

  /** The process itself. */
  public Process process() {
    return process;
  }

  /** Where its requests go. */
  OutputStream in() {
    return in;
  }

  void raw(String text) throws IOException {
    in.write(text.getBytes(StandardCharsets.UTF_8));
    in.flush();
  }

  void frame(String content) throws IOException {
    raw(
        "Content-Length: "
            + content.getBytes(StandardCharsets.UTF_8).length
            + "\r\n\r\n"
            + content);
  }

  /** Sends a request without waiting for its answer. */
  public int request(String method, String params) throws IOException {
    int id = ++requests;
    frame(
        "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\",\"params\":%s}"
            .formatted(id, method, params));
    return id;
  }

  JsonObject receive() throws IOException {
    int length = -1;
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    while (true) {
      int next = out.read();
      if (next < 0) {
        throw new EOFException();
      }
      if (next != '\n') {
        line.write(next);
        continue;
      }
      String header = line.toString(StandardCharsets.UTF_8).trim();
      line.reset();
      if (header.isEmpty()) {
        return JsonParser.parseString(new String(out.readNBytes(length), StandardCharsets.UTF_8))
            .getAsJsonObject();
      }
      if (header.startsWith("Content-Length:")) {
        length = Integer.parseInt(header.substring(header.indexOf(':') + 1).trim());
      }
    }
  }

  JsonObject until(Predicate<JsonObject> wanted) throws IOException {
    JsonObject message = receive();
    while (!wanted.test(message)) {
      message = receive();
    }
    return message;
  }

  JsonObject answer(int id) throws IOException {
    return until(
        message ->
            message.has("id")
                && !message.get("id").isJsonNull()
                && message.get("id").getAsInt() == id);
  }

  /** Sends a request and waits for its answer. */
  public JsonObject call(String method, String params) throws IOException {
    return answer(request(method, params));
  }

  /** Waits until the last lines of a task match; returns them. */
  public String output(String id, String regexp) throws IOException {
    String[] found = new String[1];
    until(
        message -> {
          if (message.has("method") && message.get("method").getAsString().equals("task/output")) {
            for (JsonElement output : message.getAsJsonObject("params").getAsJsonArray("outputs")) {
              String tail = output.getAsJsonObject().get("tail").getAsString();
              if (output.getAsJsonObject().get("id").getAsString().equals(id)
                  && tail.matches(regexp)) {
                found[0] = tail;
              }
            }
          }
          return found[0] != null;
        });
    return found[0];
  }

  /** Returns a task as the server has it now. */
  public JsonObject task(String id) throws IOException {
    return call("task/get", "{\"ids\":[\"" + id + "\"]}")
        .getAsJsonObject("result")
        .getAsJsonArray("tasks")
        .get(0)
        .getAsJsonObject();
  }

  /** Waits for the end of a task that is known, as the server tells it. */
  public JsonObject ended(String id) throws IOException {
    JsonObject[] found = new JsonObject[1];
    until(
        message -> {
          if (message.has("method") && message.get("method").getAsString().equals("task/status")) {
            JsonArray tasks = message.getAsJsonObject("params").getAsJsonArray("tasks");
            for (JsonElement task : tasks) {
              JsonObject object = task.getAsJsonObject();
              if (object.get("id").getAsString().equals(id)
                  && object.get("terminal").getAsBoolean()) {
                found[0] = object;
              }
            }
          }
          return found[0] != null;
        });
    return found[0];
  }

  /** Ends it as a client does that goes. */
  public void end() throws IOException {
    call("shutdown", "{}");
    frame("{\"jsonrpc\":\"2.0\",\"method\":\"exit\",\"params\":{}}");
    process.onExit().join();
  }

  /** Ends it as a power cut would. */
  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }

  /**
   * Ends the supervisor of a state directory and its tasks, which outlive its servers: they could
   * write there while the directory is deleted.
   */
  public static void endSupervisor(Path state) {
    ProcessHandle.allProcesses()
        .filter(it -> it.info().commandLine().orElse("").contains(state + "/"))
        .forEach(
            it -> {
              List<ProcessHandle> tasks = it.descendants().toList();
              kill(it);
              tasks.forEach(ServerProcess::kill);
            });
  }

  private static void kill(ProcessHandle process) {
    process.destroyForcibly();
    process.onExit().join();
  }
}

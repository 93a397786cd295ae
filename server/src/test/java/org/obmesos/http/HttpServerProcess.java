// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.obmesos.rpc.ServerProcess;

/** A server without an Emacs, as a process of its own, and curl to talk to it. */
final class HttpServerProcess implements AutoCloseable {
  static final Duration LONG = Duration.ofSeconds(40);
  private static final Pattern URL = Pattern.compile("serving (http://(\\S+):(\\d+)/)");

  private final Process process;
  private final Path state;
  private final Path log;
  private String url = "";

  /** Starts one with that state directory, which is told where to listen, too. */
  HttpServerProcess(Path state, Map<String, String> environment, String... arguments)
      throws IOException {
    this.state = state;
    log = Files.createTempFile("server", ".log");
    List<String> words = new ArrayList<>(List.of("--headless", "--state-dir", state.toString()));
    words.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(ServerProcess.command(words))
            .redirectError(log.toFile())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD);
    builder.environment().put("LC_ALL", "C.UTF-8");
    builder.environment().putAll(environment);
    process = builder.start();
  }

  /** One that listens on loopback, at any port, once it does. */
  static HttpServerProcess at(Path state) throws IOException {
    return new HttpServerProcess(state, Map.of(), "--http", "127.0.0.1:0", "--no-token")
        .listening();
  }

  HttpServerProcess listening() {
    await()
        .atMost(LONG)
        .until(
            () -> {
              Matcher said = URL.matcher(output());
              if (said.find()) {
                url = said.group(1);
              }
              return !url.isEmpty() || !process.isAlive();
            });
    if (url.isEmpty()) {
      throw new IllegalStateException(output());
    }
    return this;
  }

  /** All it has said on stderr. */
  String output() {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** How it ended, once it has. */
  int status() throws InterruptedException {
    return process.waitFor();
  }

  Process process() {
    return process;
  }

  String url() {
    return url;
  }

  int port() {
    return Integer.parseInt(url.replaceAll(".*:(\\d+)/$", "$1"));
  }

  /** What curl gets: the status, and the body. */
  record Answer(int status, String body) {
    JsonObject json() {
      return JsonParser.parseString(body).getAsJsonObject();
    }
  }

  /** Runs curl for a path. */
  Answer curl(String path, String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(List.of("curl", "-sS", "--path-as-is", "-w", "\n%{http_code}"));
    command.addAll(List.of(arguments));
    command.add(url.substring(0, url.length() - 1) + path);
    Process curl = new ProcessBuilder(command).redirectErrorStream(true).start();
    curl.outputWriter().close();
    String out = new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int end = out.lastIndexOf('\n');
    return new Answer(Integer.parseInt(out.substring(end + 1).strip()), out.substring(0, end));
  }

  /** Posts a document; returns its id. */
  String post(String text) throws IOException {
    Path file = Files.writeString(Files.createTempFile("posted", ".org"), text);
    try {
      Answer answer = curl("/org", "-H", "Accept: application/json", "--data-binary", "@" + file);
      if (answer.status() != 201) {
        throw new IllegalStateException(answer.toString());
      }
      return answer.json().get("id").getAsString();
    } finally {
      Files.delete(file);
    }
  }

  /** Waits until nothing of a document runs; returns how it ended. */
  String settled(String id) {
    await().atMost(LONG).until(() -> !state(id).equals("RUNNING"));
    return state(id);
  }

  String state(String id) {
    try {
      return curl("/org/" + id).json().get("state").getAsString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends it as a power cut would. */
  void cut() {
    process.destroyForcibly().onExit().join();
  }

  @Override
  public void close() throws IOException {
    process.destroy();
    process.onExit().join();
    ServerProcess.endSupervisor(state);
    Files.deleteIfExists(log);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import static org.awaitility.Awaitility.await;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A headless Chromium, driven as W3C's WebDriver has it, by the few commands that are needed. */
final class Browser implements AutoCloseable {
  private static final Pattern PORT = Pattern.compile("successfully on port (\\d+)");

  private final Process driver;
  private final Path profile;
  private final String session;
  private final HttpClient client = HttpClient.newHttpClient();

  Browser() throws IOException {
    profile = Files.createTempDirectory("browser");
    driver = new ProcessBuilder("chromedriver", "--port=0").redirectErrorStream(true).start();
    BufferedReader said = driver.inputReader();
    Matcher port = PORT.matcher(said.readLine());
    while (!port.find()) {
      port = PORT.matcher(said.readLine());
    }
    String base = "http://localhost:" + port.group(1) + "/session";
    Map<String, Object> options =
        Map.of(
            "args",
            List.of(
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--user-data-dir=" + profile));
    session = base + "/" + begin(base, options);
  }

  private String begin(String base, Map<String, Object> options) throws IOException {
    Map<String, Object> wanted = Map.of("alwaysMatch", Map.of("goog:chromeOptions", options));
    try {
      return send(base, "POST", Map.of("capabilities", wanted))
          .getAsJsonObject("value")
          .get("sessionId")
          .getAsString();
    } catch (IOException e) {
      driver.destroy();
      throw e;
    }
  }

  /** Whether this machine has one. */
  static boolean isThere() {
    return List.of(System.getenv("PATH").split(":")).stream()
        .anyMatch(place -> Files.isExecutable(Path.of(place, "chromedriver")));
  }

  private JsonObject send(String url, String method, Map<String, ?> body) throws IOException {
    HttpRequest.BodyPublisher sent =
        method.equals("POST")
            ? HttpRequest.BodyPublishers.ofString(new Gson().toJson(body))
            : HttpRequest.BodyPublishers.noBody();
    try {
      HttpResponse<String> answer =
          client.send(
              HttpRequest.newBuilder(URI.create(url)).method(method, sent).build(),
              HttpResponse.BodyHandlers.ofString());
      if (answer.statusCode() != 200) {
        throw new IOException(answer.body());
      }
      return JsonParser.parseString(answer.body()).getAsJsonObject();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  void go(String url) throws IOException {
    var unused = send(session + "/url", "POST", Map.of("url", url));
  }

  /** What a piece of JavaScript returns, as text. */
  String run(String script) throws IOException {
    return send(session + "/execute/sync", "POST", Map.of("script", script, "args", List.of()))
        .get("value")
        .getAsString();
  }

  /** What is to be read on the page. */
  String text() throws IOException {
    return run("return document.body.innerText");
  }

  private String element(String xpath) throws IOException {
    JsonObject found =
        send(session + "/element", "POST", Map.of("using", "xpath", "value", xpath))
            .getAsJsonObject("value");
    return session + "/element/" + found.asMap().values().iterator().next().getAsString();
  }

  /** Clicks on an element; it is looked for again if the page was drawn anew in between. */
  void click(String xpath) {
    await()
        .ignoreExceptionsMatching(
            failure -> String.valueOf(failure.getMessage()).contains("stale element"))
        .until(() -> !send(element(xpath) + "/click", "POST", Map.of()).isJsonNull());
  }

  void type(String xpath, String text) throws IOException {
    var unused = send(element(xpath) + "/value", "POST", Map.of("text", text));
  }

  /** What is to be read in the window that was opened last, once there are so many. */
  String lastOf(int windows) throws IOException {
    JsonArray handles = send(session + "/window/handles", "GET", Map.of()).getAsJsonArray("value");
    if (handles.size() < windows) {
      return "";
    }
    Map<String, String> last = Map.of("handle", handles.get(windows - 1).getAsString());
    var unused = send(session + "/window", "POST", last);
    return text();
  }

  @Override
  public void close() throws IOException {
    try {
      var unused = send(session, "DELETE", Map.of());
    } finally {
      driver.destroy();
      driver.onExit().join();
      try (Stream<Path> files = Files.walk(profile)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(file);
        }
      }
    }
  }
}

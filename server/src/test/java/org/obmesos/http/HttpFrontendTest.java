// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.obmesos.http.HttpServerProcess.Answer;

/** Documents over HTTP, with curl, on the embedded cluster. */
final class HttpFrontendTest {
  @TempDir private static Path directory;
  private static HttpServerProcess server;

  @BeforeAll
  static void start() throws IOException {
    server = HttpServerProcess.at(directory.resolve("state"));
  }

  @AfterAll
  static void stop() throws IOException {
    server.close();
  }

  private static String block(String above, String header, String body) {
    return above + "#+BEGIN_SRC sh " + header + "\n" + body + "\n#+END_SRC\n";
  }

  @Test
  void aDocumentIsScheduledAndComesBackWithItsResults() throws IOException {
    Path file =
        Files.writeString(
            directory.resolve("d.org"),
            "#+TITLE: Two\n"
                + block("#+name: one\n#+header: :cpu 0.1 :mem 32\n", "", "echo 1")
                + "#+begin_src python :requires one\nprint(2)\n#+end_src\n"
                + "#+begin_src emacs-lisp\n(+ 1 2)\n#+end_src\n"
                + block("", ":eval never", "echo not me"));
    Answer answer = server.curl("/org", "--data-binary", "@" + file, "-D", "-");
    assertThat(answer.status()).isEqualTo(201);
    assertThat(answer.body()).endsWith("\r\n\r\nScheduled 2 code blocks for execution\n");
    var location = Pattern.compile("Location: /org/(\\S+)").matcher(answer.body());
    assertThat(location.find()).isTrue();
    String id = location.group(1);
    assertThat(server.settled(id)).isEqualTo("FINISHED");
    assertThat(server.curl("/org/" + id + ".org").body())
        .contains("#+END_SRC\n\n#+RESULTS: one\n: 1\n")
        .contains("#+end_src\n\n#+RESULTS:\n: 2\n")
        .contains("(+ 1 2)\n#+end_src\n#+BEGIN_SRC")
        .endsWith("echo not me\n#+END_SRC\n");
    assertThat(server.curl("/org/" + id + ".html").body())
        .contains("<h1>Two</h1>", "<pre class=\"src\">echo 1\n</pre>", "<pre>\n1\n</pre>");
    JsonObject about = server.curl("/org/" + id).json();
    assertThat(about.get("title").getAsString()).isEqualTo("Two");
    JsonObject first = about.getAsJsonArray("tasks").get(0).getAsJsonObject();
    assertThat(first.get("state").getAsString()).isEqualTo("FINISHED");
    assertThat(first.get("mem").getAsDouble()).isEqualTo(32);
    assertThat(server.curl("/org").body()).contains("\"id\":\"" + id + "\",\"title\":\"Two\"");
    assertThat(
            server
                .curl("/tasks/" + first.get("id").getAsString())
                .json()
                .getAsJsonObject("result")
                .get("stdout")
                .getAsString())
        .isEqualTo("1\n");
  }

  @Test
  void theExampleIsRun() throws IOException {
    String text = Files.readString(Path.of("../examples/posted.org"));
    String id = server.post(text);
    assertThat(server.settled(id)).isEqualTo("FINISHED");
    assertThat(server.curl("/org/" + id + ".org").body())
        .contains("#+RESULTS: prepare\n: prepared\n")
        .contains("#+RESULTS: work\n: ==> 0 <==\n: worker 0 of 3\n")
        .contains("#+RESULTS: stubborn\n: at last\n");
  }

  @Test
  void theSettingsOfTheExampleAreTaken() throws IOException {
    String text = Files.readString(Path.of("../examples/settings.org"));
    Path settings = Files.writeString(directory.resolve("settings.org"), text.replace("8888", "0"));
    try (HttpServerProcess set =
        new HttpServerProcess(
                directory.resolve("set"), Map.of(), "--no-token", "-f", settings.toString())
            .listening()) {
      assertThat(set.url()).startsWith("http://127.0.0.1:");
      assertThat(set.curl("/healthz").body()).isEqualTo("OK\n");
    }
  }

  @Test
  void instancesOrderAndFailuresAreAsInEmacs() throws IOException {
    String id =
        server.post(
            block("#+name: many\n", ":instances 3", "echo $OB_MESOS_INDEX of $OB_MESOS_COUNT")
                + block("#+name: bad\n", "", "echo why >&2; exit 3")
                + block("#+name: after\n", ":requires bad many", "echo never")
                + block("#+name: again\n", ":ensure it-finishes", again()));
    assertThat(server.settled(id)).isEqualTo("FAILED");
    assertThat(server.curl("/org/" + id + ".org").body())
        .contains(": ==> 0 <==\n: 0 of 3\n: ==> 1 <==\n: 1 of 3\n: ==> 2 <==\n: 2 of 3\n")
        .contains(" FAILED: Command exited with status 3\n: exit status: 3\n: stderr:\n: why\n")
        .containsPattern(": mesos: after-\\S+ ERROR: The task needs bad .*, which is FAILED")
        .contains("#+RESULTS: again\n: done\n");
  }

  @Test
  void resultsThatAreTooLargeTogetherAreLeftOut() throws IOException {
    String id =
        server.post(
            block("#+name: large\n", ":instances 50", "head -c 250000 /dev/zero | tr '\\0' x")
                + block("#+name: small\n", "", "echo small"));
    assertThat(server.settled(id)).isEqualTo("FINISHED");
    Answer answer = server.curl("/org/" + id + ".org");
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.body().length()).isBetween(8 << 20, 9 << 20);
    assertThat(answer.body()).contains(": [left out, see /tasks/small-" + id + ".2]");
  }

  @Test
  void manyCarriageReturnsAreShownQuickly() throws IOException {
    String id = server.post(block("", "", "printf %0200000d 0 | tr 0 '\\r'; echo x"));
    assertThat(server.settled(id)).isEqualTo("FINISHED");
    assertThat(server.curl("/org/" + id + ".org").body()).contains("#+RESULTS:\n: x\n");
  }

  /** Changes the database of a server. */
  private static void sql(Path state, String statement) throws SQLException {
    Path file = state.resolve("local-http").resolve("0").resolve("store.db");
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement change = connection.createStatement()) {
      change.execute("PRAGMA busy_timeout = 10000");
      change.execute(statement);
    }
  }

  @Test
  void aDocumentThatCannotBeMarkedAsSubmittedRunsOnce() throws Exception {
    Path state = directory.resolve("unmarked");
    Path runs = directory.resolve("unmarked-runs");
    String id;
    try (HttpServerProcess unmarked = HttpServerProcess.at(state)) {
      assertThat(unmarked.curl("/org").status()).isEqualTo(200);
      sql(
          state,
          "CREATE TRIGGER fails BEFORE UPDATE ON documents BEGIN SELECT RAISE(ABORT, 'full'); END");
      id = unmarked.post(block("", "", "echo x >> " + runs));
      assertThat(unmarked.settled(id)).isEqualTo("FINISHED");
      sql(state, "DROP TRIGGER fails");
    }
    try (HttpServerProcess next = HttpServerProcess.at(state)) {
      assertThat(next.settled(id)).isEqualTo("FINISHED");
      assertThat(runs).hasContent("x");
    }
  }

  @Test
  void aDocumentThatCannotBeSubmittedAgainDoesNotStopOthers() throws Exception {
    Path state = directory.resolve("resubmitted");
    try (HttpServerProcess first = HttpServerProcess.at(state)) {
      assertThat(first.curl("/org").status()).isEqualTo(200);
    }
    // As if the server had been killed before it stored the tasks, which are 36 MB.
    sql(
        state,
        "INSERT INTO documents (id, submitted_ms, text, submitted) VALUES ('aaaaaaaaaaaa', 1, '"
            + block("", ":instances 9000", "#" + "x".repeat(4000))
            + "', 0)");
    try (HttpServerProcess next = HttpServerProcess.at(state)) {
      String id = next.post(block("", "", "echo good"));
      assertThat(next.settled(id)).isEqualTo("FINISHED");
    }
  }

  /** Fails the first time. */
  private String again() {
    Path mark = directory.resolve("again");
    return "test -e %s || { touch %s; exit 1; }; echo done".formatted(mark, mark);
  }

  @Test
  void aRunningDocumentShowsItsLastLinesAndIsEndedByDelete() throws IOException {
    Path pid = directory.resolve("pid");
    String id =
        server.post(
            block("#+name: run-forever\n", "", "echo $$ > " + pid + "; echo still; sleep 600"));
    await()
        .atMost(HttpServerProcess.LONG)
        .until(
            () ->
                Pattern.compile(": mesos:run-forever-\\S+ RUNNING.*\n: \\| still\n")
                    .matcher(server.curl("/org/" + id + ".org").body())
                    .find());
    assertThat(server.curl("/org/" + id, "-X", "DELETE").status()).isEqualTo(204);
    assertThat(server.curl("/org/" + id).status()).isEqualTo(404);
    Path process = Path.of("/proc", Files.readString(pid).strip());
    await().atMost(HttpServerProcess.LONG).until(() -> !Files.exists(process));
    await().atMost(HttpServerProcess.LONG).until(() -> !server.curl("/tasks").body().contains(id));
    assertThat(server.curl("/org/" + id, "-X", "DELETE").status()).isEqualTo(404);
  }

  @Test
  void whatHappensIsStreamed() throws IOException {
    Path go = directory.resolve("go");
    String id =
        server.post(block("", "", "echo early; until test -e " + go + "; do sleep 0.05; done"));
    Process curl =
        new ProcessBuilder("curl", "-sSN", server.url() + "org/" + id + "/events").start();
    StringBuilder seen = new StringBuilder();
    try (BufferedReader events = curl.inputReader()) {
      readUntil(events, seen, "\"tail\":\"early\"");
      Files.createFile(go);
      readUntil(events, seen, "\"state\":\"FINISHED\"");
    } finally {
      curl.destroy();
    }
    assertThat(seen.toString()).contains("event: task\ndata: {\"id\":\"block-" + id + ".1\"");
  }

  private static void readUntil(BufferedReader events, StringBuilder seen, String words)
      throws IOException {
    String line = "";
    while (!line.contains(words)) {
      line = events.readLine();
      assertThat(line).isNotNull();
      seen.append(line).append('\n');
    }
  }

  static Stream<Arguments> bad() {
    String one = "#+begin_src sh %s\ntrue\n#+end_src\n";
    return Stream.of(
        arguments("plain\ntext", "line 1: the document has no block to run"),
        arguments("text\n#+begin_src sh\ntrue\n", "line 2: #+begin_src without #+end_src"),
        arguments(one.formatted(":cpus lots"), "line 1: block 1: cpus: a number, not 'lots'"),
        arguments(one.formatted(":cpus (f \"x\")"), "cpus: Lisp is not evaluated here"),
        arguments(one.formatted(":var x=(f)"), "line 1: block 1: var: values are passed"),
        arguments(one.formatted(":after x"), "after: no block that is run has the name x"),
        arguments(
            "#+name: a\n" + one.formatted(":after a"),
            "after: the block depends on itself: a -> a"),
        arguments(one.formatted(":instances 0"), "instances: a whole number from 1"),
        arguments(
            "#+begin_src mesos :lang klingon\nx\n#+end_src\n", "block 1: lang: one of awk, bash"),
        arguments("\n#+begin_src sh\n\n#+end_src\n", "line 2: block 1: body: the block is empty"),
        arguments(
            ("#+name: a\n" + one.formatted("")).repeat(2),
            "line 6: another block has the name a too"));
  }

  @ParameterizedTest
  @MethodSource("bad")
  void whatCannotBeRunIsRefusedWithItsLine(String text, String why) throws IOException {
    Path file = Files.writeString(directory.resolve("bad.org"), text);
    int before = server.curl("/tasks").json().getAsJsonArray("tasks").size();
    Answer answer = server.curl("/org", "--data-binary", "@" + file);
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.body()).contains(why);
    assertThat(server.curl("/tasks").json().getAsJsonArray("tasks")).hasSize(before);
  }

  @Test
  void aLongChainOfBlocksCanBePosted() throws IOException {
    StringBuilder text = new StringBuilder();
    for (int index = 0; index < 2000; index++) {
      text.append("#+name: n%d\n".formatted(index))
          .append(block(":after n%d".formatted(index + 1), "", "true"));
    }
    text.append("#+name: n2000\n").append(block("", "", "exit 1"));
    Path file = Files.writeString(directory.resolve("chain.org"), text);
    assertThat(server.curl("/org", "--data-binary", "@" + file).status()).isEqualTo(201);
  }

  @Test
  void aDocumentWhoseLinesCurlHasJoinedIsRefusedWithAdvice() throws IOException {
    Path file = Files.writeString(directory.resolve("joined.org"), block("", "", "true"));
    assertThat(server.curl("/org", "-d", "@" + file).body()).contains("--data-binary");
  }

  @ParameterizedTest
  @CsvSource({
    "/nothing,GET,404",
    "/org/../../etc/passwd,GET,404",
    "/org/%%2e%%2e/x,GET,404",
    "/page.html,GET,404",
    "/org/aaaaaaaaaaaa,GET,404",
    "/org/aaaaaaaaaaaa.org,GET,404",
    "/org/aaaaaaaaaaaa/events,GET,404",
    "/tasks/none,GET,404",
    "/tasks/%s,GET,404",
    "/tasks,POST,405",
    "/org,PUT,405",
    "/healthz,DELETE,405",
    "/org,BREW,405",
  })
  void otherAddressesAndMethodsAreRefused(String path, String method, int status)
      throws IOException {
    String address = path.formatted("n".repeat(300));
    assertThat(server.curl(address, "-X", method).status()).isEqualTo(status);
  }

  @Test
  void itNamesItselfAndTellsItsFigures() throws IOException {
    assertThat(server.curl("/").body()).startsWith("ob-mesos ");
    assertThat(server.curl("/healthz").body()).isEqualTo("OK\n");
    assertThat(server.curl("/", "-I").status()).isEqualTo(200);
    server.settled(server.post(block("", "", "true")));
    JsonObject figures = server.curl("/varz").json();
    assertThat(figures.get("ob_mesos_cluster_connected").getAsDouble()).isEqualTo(1);
    assertThat(figures.getAsJsonObject("ob_mesos_tasks").get("FINISHED").getAsDouble())
        .isGreaterThanOrEqualTo(1);
    String metrics = server.curl("/metrics").body();
    assertThat(metrics)
        .contains("# TYPE ob_mesos_http_requests_total counter\n")
        .containsPattern("ob_mesos_http_requests_total\\{method=\"POST\",status=\"201\"} [1-9]");
    // The text format: comments, or a name, labels and a number.
    assertThat(metrics.lines())
        .allMatch(
            line -> line.matches("# .*|[a-z_]+(\\{[a-z]+=\"\\w+\"(,[a-z]+=\"\\w+\")*})? \\S+"));
  }

  @Test
  void largeBodiesAreRefusedAndTheClientReadsWhy() throws IOException {
    Path large = directory.resolve("large");
    Files.write(large, new byte[50_000_000]);
    for (String header : new String[] {"X: y", "Transfer-Encoding: chunked", "Expect:"}) {
      Answer answer = server.curl("/org", "-H", header, "--data-binary", "@" + large);
      assertThat(answer.status()).isEqualTo(413);
      assertThat(answer.body()).isEqualTo("A document has at most 1048576 bytes\n");
    }
    Path binary = Files.write(directory.resolve("binary"), new byte[] {(byte) 0xff, (byte) 0xfe});
    assertThat(server.curl("/org", "--data-binary", "@" + binary).body())
        .isEqualTo("The document is not in UTF-8\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GARBAGE",
        "\0\1\2",
        "POST /org HTTP/1.1\r\nHost: localhost\r\nContent-Length: abc",
        "POST /org HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5",
        "POST /org HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 50",
      })
  void garbageIsRefused(String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket.getOutputStream().write((request + "\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));
      assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
          .startsWith("HTTP/1.1 400 ");
    }
  }

  @Test
  void slowClientsDoNotStopOthersAndAreSentAway() throws IOException {
    Socket[] slow = new Socket[40];
    // After 3 seconds, not 30.
    Map<String, String> soon = Map.of("JAVA_TOOL_OPTIONS", "-Dsun.net.httpserver.maxReqTime=3");
    try (HttpServerProcess impatient =
        new HttpServerProcess(
                directory.resolve("impatient"), soon, "--no-token", "--http", "127.0.0.1:0")
            .listening()) {
      for (int n = 0; n < slow.length; n++) {
        slow[n] = new Socket(InetAddress.getLoopbackAddress(), impatient.port());
        String half =
            n % 2 == 0
                ? "POST /org HT"
                : "POST /org HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf";
        slow[n].getOutputStream().write(half.getBytes(StandardCharsets.UTF_8));
      }
      String id = impatient.post(block("", "", "echo goes on"));
      assertThat(impatient.settled(id)).isEqualTo("FINISHED");
      for (Socket each : slow) {
        assertThat(each.getInputStream().readAllBytes()).isEmpty();
        each.close();
      }
    }
  }

  @Test
  void aBrowserThatOthersSendHereIsNotTrusted() throws IOException {
    assertThat(server.curl("/org", "-H", "Host: elsewhere.example").status()).isEqualTo(403);
    assertThat(server.curl("/org", "-H", "Origin: http://elsewhere.example").status())
        .isEqualTo(403);
    assertThat(server.curl("/org", "-H", "Origin: null").status()).isEqualTo(403);
    assertThat(server.curl("/org", "-H", "Origin: http://127.0.0.1:" + server.port()).status())
        .isEqualTo(200);
  }

  @Test
  void withATokenOnlyWhoShowsItComesIn() throws IOException {
    String token = "a token of some length";
    Path file = directory.resolve("token");
    Files.writeString(file, token + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    try (HttpServerProcess guarded =
        new HttpServerProcess(
                directory.resolve("guarded"),
                Map.of(),
                "--http",
                "127.0.0.1:0",
                "--http-token-file",
                file.toString())
            .listening()) {
      assertThat(guarded.curl("/org").status()).isEqualTo(401);
      assertThat(guarded.curl("/metrics", "-H", "Authorization: Bearer no").status())
          .isEqualTo(401);
      assertThat(guarded.curl("/org", "-H", "Authorization: Bearer " + token).status())
          .isEqualTo(200);
      assertThat(guarded.curl("/healthz").status()).isEqualTo(200);
      assertThat(guarded.output()).doesNotContain(token);
    }
  }

  @Test
  void aTokenIsMadeOnTheFirstStartAndKept() throws Exception {
    Path state = directory.resolve("first");
    Path header = state.resolve("http-authorization");
    String made = "";
    for (int start = 0; start < 2; start++) {
      try (HttpServerProcess closed =
          new HttpServerProcess(state, Map.of(), "--http", "127.0.0.1:0").listening()) {
        assertThat(closed.curl("/org").status()).isEqualTo(401);
        assertThat(closed.curl("/org").body()).isEqualTo("A token is required\n");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(header)))
            .isEqualTo("rw-------");
        String text = Files.readString(header);
        assertThat(text).matches("Authorization: Bearer [0-9a-f]{48}\n");
        assertThat(closed.curl("/org", "-H", "@" + header).status()).isEqualTo(200);
        assertThat(closed.output()).contains("curl -H @" + header).doesNotContain(text.strip());
        assertThat(made).isIn("", text);
        made = text;
      }
    }
  }

  /** Each character of a quoted value once was a frame of the stack. */
  @ParameterizedTest
  @ValueSource(ints = {600, 100_000})
  void aLongQuotedValueIsAnsweredWithAStatus(int length) throws IOException {
    for (String argument : List.of("env", "constraints", "uris", "volumes", "health", "dir")) {
      Path file =
          Files.writeString(
              directory.resolve("long.org"),
              block("", ":%s \"%s\"".formatted(argument, "a\\\\".repeat(length / 2)), "true"));
      Answer answer = server.curl("/org", "--data-binary", "@" + file);
      assertThat(answer.status()).as(argument).isIn(201, 400);
      assertThat(answer.body()).as(argument).isNotEmpty();
    }
  }

  @Test
  void whereOthersCanComeATokenIsWanted() throws Exception {
    Path loose = Files.writeString(directory.resolve("loose"), "a token of some length");
    Files.setPosixFilePermissions(loose, PosixFilePermissions.fromString("rw-r--r--"));
    Path config =
        Files.writeString(
            directory.resolve("config.org"),
            "#+mesos_master: local\n#+borges_bind: 0.0.0.0\n#+borges_port: 0\n");
    for (Map.Entry<String[], String> each :
        Map.of(
                new String[] {"--http", "0.0.0.0:0", "--no-token"},
                    "can be reached from other machines",
                new String[] {"-f", config.toString(), "--no-token"},
                    "can be reached from other machines",
                new String[] {"--http", "nonsense"}, "HOST:PORT, not 'nonsense'",
                new String[] {"--http", "" + server.port()}, "Address already in use",
                new String[] {"--http", "0", "--http-token-file", loose.toString()}, "chmod 600",
                new String[] {}, "--http HOST:PORT or --config FILE is missing")
            .entrySet()) {
      try (HttpServerProcess refused =
          new HttpServerProcess(directory.resolve("refused"), Map.of(), each.getKey())) {
        assertThat(refused.status()).isEqualTo(2);
        assertThat(refused.output()).contains(each.getValue());
      }
    }
    try (HttpServerProcess open =
        new HttpServerProcess(
                directory.resolve("open"),
                Map.of("OB_MESOS_HTTP_TOKEN", "a token of some length"),
                "-f",
                config.toString())
            .listening()) {
      assertThat(open.url()).startsWith("http://0.0.0.0:");
      JsonElement documents =
          open.curl("/org", "-H", "Authorization: Bearer a token of some length")
              .json()
              .get("documents");
      assertThat(documents.getAsJsonArray()).isEmpty();
    }
  }
}

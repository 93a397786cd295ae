// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The server as a process, over real pipes. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class ProtocolTest {
  @TempDir private Path state;
  private ServerProcess server;

  @BeforeEach
  void start() throws IOException {
    server = new ServerProcess(state);
  }

  @AfterEach
  void stop() {
    server.close();
    ServerProcess.endSupervisor(state);
  }

  private void initialize() throws IOException {
    assertThat(server.call("initialize", "{}").has("result")).isTrue();
  }

  private static int code(JsonObject answer) {
    return answer.getAsJsonObject("error").get("code").getAsInt();
  }

  @Test
  void aBlockGoesInAndItsResultComesOut() throws IOException {
    initialize();
    JsonObject submitted =
        server.call("task/submit", "{\"blocks\":[{\"id\":\"a\",\"body\":\"echo h\\u00e4\"}]}");
    assertThat(submitted.getAsJsonObject("result").getAsJsonArray("ids")).hasSize(1);
    JsonObject task = server.ended("a");
    assertThat(task.get("state").getAsString()).isEqualTo("FINISHED");
    assertThat(task.getAsJsonObject("result").get("stdout").getAsString()).isEqualTo("hä\n");
  }

  @Test
  void aRequestThatCannotBeParsedIsNotInTheLog() throws IOException {
    server.close();
    server = new ServerProcess(state, "--log-level", "debug");
    initialize();
    JsonObject answer =
        server.call(
            "task/submit",
            "{\"blocks\":[{\"id\":\"a\",\"body\":\"true\",\"secrets\":{\"PW\":\"hunter2\"},\"cpus\":\"x\"}]}");
    assertThat(answer.has("error")).isTrue();
    assertThat(server.log()).contains("cannot be parsed").doesNotContain("hunter2");
  }

  @Test
  void aClusterThatCannotStartAtFirstStartsLaterAndLosesNoTask() throws IOException {
    initialize();
    server.call(
        "task/submit",
        "{\"blocks\":[{\"id\":\"a\",\"body\":\"while [ ! -e %s/go ]; do sleep 0.05; done; echo on\"}]}"
            .formatted(state));
    await().until(() -> task("a").get("state").getAsString().equals("RUNNING"));
    server.close();
    // A directory in the way of a file that each start writes.
    Path obstacle = state.resolve("local/0/cluster/supervisor.pl.new/x");
    Files.createDirectories(obstacle);
    server = new ServerProcess(state);
    initialize();
    await().until(() -> server.log().contains("the embedded cluster cannot start"));
    Files.delete(obstacle);
    Files.delete(obstacle.getParent());
    Files.createFile(state.resolve("go"));
    JsonObject task = server.ended("a");
    assertThat(task.get("state").getAsString()).isEqualTo("FINISHED");
    assertThat(task.getAsJsonObject("result").get("stdout").getAsString()).isEqualTo("on\n");
  }

  @Test
  void theSameIdIsTheSameTask() throws IOException {
    initialize();
    String block = "{\"blocks\":[{\"id\":\"a\",\"body\":\"echo x >> %s/count\"}]}";
    server.call("task/submit", block.formatted(state));
    server.call("task/submit", block.formatted(state));
    server.ended("a");
    assertThat(state.resolve("count")).hasContent("x");
    assertThat(server.call("task/list", "{}").getAsJsonObject("result").getAsJsonArray("tasks"))
        .hasSize(1);
  }

  private JsonObject task(String id) throws IOException {
    return server.task(id);
  }

  @Test
  void aBlockWaitsInTheQueueForAnotherAndForItsBodyAndSoItDoesAfterACrash() throws IOException {
    initialize();
    server.call(
        "task/submit",
        """
        {"blocks":[{"id":"first","name":"one","body":"while [ ! -e %1$s/go ]; do sleep 0.05; done"},
        {"id":"second","after":["first"],"bodyLater":true},
        {"id":"third","after":["first","second"],"body":"echo third"}]}"""
            .formatted(state));
    assertThat(task("second").get("message").getAsString()).isEqualTo("waits for one");
    assertThat(task("second").get("bodyLater").getAsBoolean()).isTrue();
    assertThat(task("third").get("message").getAsString()).isEqualTo("waits for one, second");
    server.close();
    server = new ServerProcess(state);
    initialize();
    assertThat(task("third").get("message").getAsString()).isEqualTo("waits for one, second");
    Files.createFile(state.resolve("go"));
    server.ended("first");
    assertThat(task("second").get("message").getAsString()).isEqualTo("waits for its values");
    server.call("task/submit", "{\"blocks\":[{\"id\":\"second\",\"body\":\"echo second\"}]}");
    assertThat(server.ended("third").getAsJsonObject("result").get("stdout").getAsString())
        .isEqualTo("third\n");
    assertThat(task("second").getAsJsonObject("result").get("stdout").getAsString())
        .isEqualTo("second\n");
  }

  @Test
  void whatHangsOnATaskThatFailsFailsToo() throws IOException {
    initialize();
    server.call(
        "task/submit",
        """
        {"blocks":[{"id":"first","name":"one","body":"exit 3"},
        {"id":"second","name":"two","after":["first"],"bodyLater":true},
        {"id":"third","after":["second"],"body":"echo third"}]}""");
    JsonObject third = server.ended("third");
    assertThat(third.get("state").getAsString()).isEqualTo("ERROR");
    assertThat(third.get("message").getAsString())
        .isEqualTo(
            "The task needs two (second), which is ERROR: The task needs one (first), which is"
                + " FAILED: Command exited with status 3");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "no-such-task", "b"})
  void aBlockComesAfterKnownTasksOnly(String other) throws IOException {
    initialize();
    JsonObject answer =
        server.call(
            "task/submit",
            """
            {"blocks":[{"id":"a","body":"true","after":["%s"]},{"id":"b","body":"true"}]}"""
                .formatted(other));
    assertThat(code(answer)).isEqualTo(ErrorCode.INVALID_BLOCK.code());
    assertThat(answer.getAsJsonObject("error").get("message").getAsString()).contains("after");
    assertThat(server.call("task/list", "{}").getAsJsonObject("result").getAsJsonArray("tasks"))
        .isEmpty();
  }

  @Test
  void aBadBlockIsRefusedWithItsArgumentAndNothingRuns() throws IOException {
    initialize();
    JsonObject answer =
        server.call(
            "task/submit",
            "{\"blocks\":[{\"id\":\"a\",\"body\":\"true\"},"
                + "{\"id\":\"b\",\"body\":\"true\",\"cpus\":-1}]}");
    assertThat(code(answer)).isEqualTo(ErrorCode.INVALID_BLOCK.code());
    JsonObject data = answer.getAsJsonObject("error").getAsJsonObject("data");
    assertThat(data.get("id").getAsString()).isEqualTo("b");
    assertThat(data.get("argument").getAsString()).isEqualTo("cpus");
    assertThat(server.call("task/list", "{}").getAsJsonObject("result").getAsJsonArray("tasks"))
        .isEmpty();
  }

  @Test
  void nothingIsAnsweredBeforeInitialize() throws IOException {
    assertThat(code(server.call("task/list", "{}"))).isEqualTo(ErrorCode.NOT_INITIALIZED.code());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"blocks\":\"none\"}",
        "{\"blocks\":[]}",
        "{\"blocks\":[null]}",
        "{\"blocks\":[{\"id\":7}]}",
        "{\"blocks\":[{\"id\":\"a\",\"body\":\"x\",\"cpus\":\"many\"}]}",
        "{\"blocks\":[{\"id\":\"a/b\",\"body\":\"x\"}]}",
        "{\"blocks\":[{\"id\":\"a\",\"body\":\"x\",\"interpreter\":[null]}]}",
        "{}",
        "[]",
        "null"
      })
  void wrongTypesAreAnsweredWithAnErrorAndTheServerGoesOn(String params) throws IOException {
    initialize();
    JsonObject answer = server.call("task/submit", params);
    assertThat(answer.has("error")).isTrue();
    assertThat(answer.toString()).doesNotContain("\\tat ").doesNotContain("Exception:");
    assertThat(server.call("task/list", "{}").has("result")).isTrue();
  }

  @Test
  void anUnknownMethodIsAnError() throws IOException {
    initialize();
    assertThat(code(server.call("task/dance", "{}"))).isEqualTo(-32601);
  }

  @Test
  void aMessageOfAHundredMegabytesIsSkippedAndAnswered() throws IOException {
    initialize();
    server.raw("Content-Length: 104857600\r\n\r\n");
    byte[] piece = new byte[1 << 20];
    for (int i = 0; i < 100; i++) {
      server.in().write(piece);
    }
    server.in().flush();
    JsonObject refusal = server.until(message -> message.has("error"));
    assertThat(code(refusal)).isEqualTo(ErrorCode.MESSAGE_TOO_LARGE.code());
    assertThat(server.call("task/list", "{}").has("result")).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: -5\r\n\r\n",
        "Content-Length: pear\r\n\r\n",
        "Content-Length: 99999999999999\r\n\r\n",
        "Content-Length: 7\r\n\r\n{\"a\":1}",
        "Content-Length: 3\r\n\r\n{\"a",
        "\r\n\r\n\r\n"
      })
  void framesThatLieNeitherHangNorKillTheServerWithoutAWord(String frame) throws Exception {
    initialize();
    server.raw(frame);
    answerOrEnd();
  }

  @Test
  void generatedGarbageNeitherHangsNorKillsTheServerWithoutAWord() throws Exception {
    initialize();
    Random random = new Random(20260101);
    for (int i = 0; i < 200; i++) {
      byte[] bytes = new byte[random.nextInt(300)];
      random.nextBytes(bytes);
      server
          .in()
          .write(("Content-Length: " + bytes.length + "\r\n\r\n").getBytes(StandardCharsets.UTF_8));
      server.in().write(bytes);
    }
    server.in().flush();
    answerOrEnd();
  }

  /** It answers, or has said on stderr why it has ended. */
  private void answerOrEnd() throws Exception {
    try {
      int id = server.request("task/list", "{}");
      server.in().close();
      assertThat(server.answer(id).has("result")).isTrue();
    } catch (IOException e) {
      assertThat(server.process().waitFor(20, TimeUnit.SECONDS)).isTrue();
      assertThat(server.process().exitValue()).isZero();
      assertThat(server.log()).isNotEmpty();
    }
  }

  @Test
  void theEndOfInputIsAnOrderlyEnd() throws Exception {
    initialize();
    server.in().close();
    assertThat(server.process().waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(server.process().exitValue()).isZero();
  }

  @Test
  void exitAfterShutdownIsAnOrderlyEnd() throws Exception {
    initialize();
    server.call("shutdown", "null");
    server.frame("{\"jsonrpc\":\"2.0\",\"method\":\"exit\"}");
    assertThat(server.process().waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(server.process().exitValue()).isZero();
  }

  @Test
  void aTaskGoesOnWhenTheServerIsKilledAndTheNextOneTellsOfIt() throws Exception {
    initialize();
    server.call(
        "task/submit", "{\"blocks\":[{\"id\":\"a\",\"body\":\"sleep 1; echo done; exit 5\"}]}");
    server.until(message -> message.toString().contains("RUNNING"));
    server.process().destroyForcibly().waitFor();
    start();
    initialize();
    JsonObject task = server.ended("a");
    assertThat(task.get("exitStatus").getAsInt()).isEqualTo(5);
    assertThat(task.getAsJsonObject("result").get("stdout").getAsString()).isEqualTo("done\n");
  }

  @Test
  void whatWasToldToEndRightBeforeTheServerEndsDoes() throws Exception {
    initialize();
    server.call(
        "task/submit",
        "{\"blocks\":[{\"id\":\"a\",\"body\":\"echo $$ > %s/pid; exec sleep 1000\"}]}"
            .formatted(state));
    Path written = state.resolve("pid");
    await().until(() -> Files.exists(written) && !Files.readString(written).isBlank());
    long pid = Long.parseLong(Files.readString(written).trim());
    server.request("task/kill", "{\"ids\":[\"a\"]}");
    server.request("shutdown", "{}");
    server.frame("{\"jsonrpc\":\"2.0\",\"method\":\"exit\",\"params\":{}}");
    assertThat(server.process().waitFor(20, TimeUnit.SECONDS)).isTrue();
    await().until(() -> ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty());
  }

  @Test
  void theQueueGoesByPriorityThenBySubmission() throws Exception {
    initialize();
    String block = "{\"id\":\"%s\",\"body\":\"echo %s >> %s/order\",\"cpus\":%s,\"priority\":%d}";
    StringBuilder blocks = new StringBuilder();
    blocks.append("{\"id\":\"first\",\"body\":\"sleep 0.5\",\"cpus\":4,\"priority\":9}");
    for (String name : new String[] {"b", "c", "d"}) {
      blocks.append(',').append(block.formatted(name, name, state, "4", 0));
    }
    blocks.append(',').append(block.formatted("urgent", "urgent", state, "4", 5));
    server.call("task/submit", "{\"blocks\":[" + blocks + "]}");
    server.ended("d");
    assertThat(state.resolve("order")).hasContent("urgent\nb\nc\nd");
  }

  @Test
  void aTaskThatPrintsMuchIsCutAndNotHeldInMemory() throws Exception {
    initialize();
    server.call("task/submit", "{\"blocks\":[{\"id\":\"warm-up\",\"body\":\"echo\"}]}");
    server.ended("warm-up");
    long before = server.peakMemory();
    server.call(
        "task/submit",
        "{\"blocks\":[{\"id\":\"a\",\"body\":\"head -c 100000000 /dev/zero | tr '\\\\\\\\0' x\"}]}");
    JsonObject result = server.ended("a").getAsJsonObject("result");
    assertThat(result.get("truncated").getAsBoolean()).isTrue();
    assertThat(result.get("stdoutBytes").getAsLong()).isEqualTo(100_000_000);
    assertThat(result.get("stdout").getAsString()).hasSize(262_144);
    // The output is larger than the memory it may have grown by.
    assertThat(server.peakMemory() - before).isLessThan(100_000_000);
  }

  @Test
  void aFileIsReadByOffsetAndNoPathLeadsOutOfTheSandbox() throws Exception {
    initialize();
    server.call("task/submit", "{\"blocks\":[{\"id\":\"a\",\"body\":\"printf 0123456789 > f\"}]}");
    server.ended("a");
    JsonObject read =
        server
            .call("task/read", "{\"id\":\"a\",\"path\":\"f\",\"offset\":3,\"length\":4}")
            .getAsJsonObject("result");
    assertThat(read.get("data").getAsString()).isEqualTo("MzQ1Ng==");
    assertThat(read.get("size").getAsLong()).isEqualTo(10);
    assertThat(code(server.call("task/read", "{\"id\":\"a\",\"path\":\"../../../../x\"}")))
        .isEqualTo(ErrorCode.SANDBOX_UNAVAILABLE.code());
    assertThat(code(server.call("task/read", "{\"id\":\"nobody\",\"path\":\"f\"}")))
        .isEqualTo(ErrorCode.UNKNOWN_TASK.code());
    assertThat(server.call("task/files", "{\"id\":\"a\"}").toString()).contains("\"stdout\"");
    assertThat(server.call("task/forget", "{\"ids\":[\"a\"]}").toString()).contains("[\"a\"]");
    assertThat(code(server.call("task/read", "{\"id\":\"a\",\"path\":\"f\"}")))
        .isEqualTo(ErrorCode.UNKNOWN_TASK.code());
  }

  @Test
  void withoutAWordItsStateIsBelowTheHomeThatTheEnvironmentNames() throws IOException {
    Path home = state.resolve("home");
    try (ServerProcess other =
        new ServerProcess(Map.of("HOME", home.toString(), "XDG_STATE_HOME", ""), List.of())) {
      other.call("initialize", "{}");
      assertThat(home.resolve(".local/state/ob-mesos")).isDirectory();
    }
  }

  /** The tests run without a locale, and so does this server. */
  @Test
  void textIsExactInArgumentsVariablesFilesAndDirectories() throws Exception {
    initialize();
    server.call(
        "task/submit",
        """
        {"blocks":[{"id":"a","name":"grüß","document":"/tmp/日本.org","directory":"ordner-ü",
        "environment":{"GRUSS":"grüß 日本 \\u0001"},
        "interpreter":["sh","-e"],
        "body":"printf %s \\"$GRUSS\\" > datei-日本; pwd | sed 's/.*\\\\///'; cat datei-日本; echo 'héllo 🙂'"}]}""");
    JsonObject task = server.ended("a");
    assertThat(task.get("name").getAsString()).isEqualTo("grüß");
    assertThat(task.get("document").getAsString()).isEqualTo("/tmp/日本.org");
    assertThat(task.getAsJsonObject("result").get("stdout").getAsString())
        .isEqualTo("ordner-ü\ngrüß 日本 \u0001héllo 🙂\n");
    JsonObject files = server.call("task/files", "{\"id\":\"a\",\"path\":\"ordner-ü\"}");
    assertThat(files.toString()).contains("\"path\":\"ordner-ü/datei-日本\"");
    JsonObject read =
        server
            .call("task/read", "{\"id\":\"a\",\"path\":\"ordner-ü/datei-日本\"}")
            .getAsJsonObject("result");
    assertThat(new String(Base64.getDecoder().decode(read.get("data").getAsString()), UTF_8))
        .isEqualTo("grüß 日本 \u0001");
    server.close();
    server = new ServerProcess(state);
    initialize();
    assertThat(task("a").get("name").getAsString()).isEqualTo("grüß");
  }

  /** All words that processes of this machine have as arguments. */
  private static String arguments() throws IOException {
    StringBuilder all = new StringBuilder();
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : processes) {
        try {
          all.append(Files.readString(process.resolve("cmdline"), ISO_8859_1));
        } catch (IOException e) {
          // The process has ended.
          all.append('\n');
        }
      }
    }
    return all.toString();
  }

  @Test
  void bodiesAndSecretsAreNobodysArgumentsAndTheServersVariablesAreNotATasks() throws Exception {
    server.close();
    server =
        new ServerProcess(
            Map.of(
                "OB_MESOS_HTTP_TOKEN", "a token of some length",
                "MESOS_SECRET", "the secret of the master",
                "PASSED", "on"),
            List.of("--state-dir", state.toString(), "--pass-env", "PASSED"));
    initialize();
    server.call(
        "task/submit",
        """
        {"blocks":[{"id":"a","body":"# marker-of-the-body\\nenv; echo $(ps -ef | grep -c '[m]arker-of-the'); echo length ${#TOKEN}; until test -e %s/go; do sleep 0.05; done",
        "secrets":{"TOKEN":"marker-of-the-secret"}}]}"""
            .formatted(state));
    server.output("a", "(?s).*length 20.*");
    assertThat(arguments()).doesNotContain("marker-of-the-body", "marker-of-the-secret");
    Files.createFile(state.resolve("go"));
    String stdout = server.ended("a").getAsJsonObject("result").get("stdout").getAsString();
    assertThat(stdout)
        .contains("PASSED=on\n", "MESOS_TASK_ID=a\n", "PATH=", "\n0\nlength 20\n")
        .doesNotContain("OB_MESOS", "MESOS_SECRET", "marker-of-the-body");
  }

  @Test
  void aFileThatCannotBeReadStopsNoOtherRead() throws Exception {
    initialize();
    server.call(
        "task/submit",
        "{\"blocks\":[{\"id\":\"a\",\"body\":\"mkfifo pipe; ln -s pipe link; echo done\"}]}");
    assertThat(server.ended("a").getAsJsonObject("result").get("stdout").getAsString())
        .isEqualTo("done\n");
    for (String path : List.of("pipe", "link", "a\\u0000b", "../../../../x")) {
      assertThat(code(server.call("task/read", "{\"id\":\"a\",\"path\":\"" + path + "\"}")))
          .as(path)
          .isEqualTo(ErrorCode.SANDBOX_UNAVAILABLE.code());
    }
    assertThat(server.call("task/read", "{\"id\":\"a\",\"path\":\"stdout\"}").toString())
        .contains("ZG9uZQo=");
    server.call("task/submit", "{\"blocks\":[{\"id\":\"b\",\"body\":\"echo later\"}]}");
    assertThat(server.ended("b").getAsJsonObject("result").get("stdout").getAsString())
        .isEqualTo("later\n");
  }

  @Test
  void oldTasksAreDeletedWithTheirResultsAndSandboxes() throws Exception {
    server.close();
    server =
        new ServerProcess(Map.of(), List.of("--state-dir", state.toString(), "--keep-tasks", "5"));
    initialize();
    for (int n = 0; n < 12; n++) {
      server.call("task/submit", "{\"blocks\":[{\"id\":\"t%d\",\"body\":\"echo\"}]}".formatted(n));
      server.ended("t" + n);
    }
    await()
        .until(
            () ->
                server
                        .call("task/list", "{}")
                        .getAsJsonObject("result")
                        .getAsJsonArray("tasks")
                        .size()
                    == 5);
    assertThat(server.call("task/list", "{}").toString()).contains("t11").doesNotContain("t6");
    try (Stream<Path> files = Files.walk(state)) {
      await()
          .until(
              () -> {
                try (Stream<Path> all = Files.walk(state)) {
                  return all.filter(path -> path.endsWith("stdout")).count() == 5;
                }
              });
      assertThat(files.anyMatch(path -> path.endsWith("executors/t11"))).isTrue();
    }
  }
}

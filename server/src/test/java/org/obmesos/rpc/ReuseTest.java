// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Results that take the place of a run, and limits of groups, on the embedded cluster. */
final class ReuseTest {
  private static final Duration LONG = Duration.ofSeconds(40);

  /** A time of this time zone. */
  private static final String TIME = "\\d{4}(-\\d\\d){2} \\d\\d(:\\d\\d){2}";

  @TempDir private Path directory;
  private Path runs;
  private ServerProcess server;
  private Path state;

  @BeforeEach
  void start() throws IOException {
    runs = Files.createFile(directory.resolve("runs"));
    begin();
  }

  private void begin() throws IOException {
    server = new ServerProcess(directory.resolve("state"));
    state =
        Path.of(
            server
                .call("initialize", "{}")
                .getAsJsonObject("result")
                .get("stateDirectory")
                .getAsString());
  }

  @AfterEach
  void stop() {
    server.close();
    ServerProcess.endSupervisor(directory.resolve("state"));
  }

  /** A body that notes each run. */
  private String body(String more) {
    return "echo run >> " + runs + "; " + more;
  }

  private long runs() throws IOException {
    return Files.readAllLines(runs).size();
  }

  private JsonObject run(String id, String body, String more) throws IOException {
    submit("{\"id\":\"%s\",\"body\":\"%s\",\"document\":\"/d.org\"%s}".formatted(id, body, more));
    return ended(id);
  }

  private void submit(String... blocks) throws IOException {
    JsonObject answer =
        server.call("task/submit", "{\"blocks\":[" + String.join(",", blocks) + "]}");
    assertThat(answer.has("result")).as(answer.toString()).isTrue();
  }

  private JsonObject ended(String id) throws IOException {
    await().atMost(LONG).until(() -> server.task(id).get("terminal").getAsBoolean());
    return server.task(id);
  }

  private static String stdout(JsonObject task) {
    return task.getAsJsonObject("result").get("stdout").getAsString();
  }

  private static String message(JsonObject task) {
    return task.get("message").getAsString();
  }

  @Test
  void theSameIsNotRunAgainAlsoByTheNextServer() throws IOException {
    JsonObject first = run("a", body("echo $V"), ",\"environment\":{\"V\":\"1\"}");
    server.close();
    begin();
    JsonObject second =
        run(
            "b",
            body("echo $V"),
            ",\"name\":\"other\",\"cpus\":0.2,\"environment\":{\"V\":\"1\"},\"reuse\":\"yes\"");
    assertThat(second.get("state").getAsString()).isEqualTo("FINISHED");
    assertThat(stdout(second)).isEqualTo("1\n");
    assertThat(second.get("reused").getAsString()).isEqualTo("a");
    assertThat(second.get("reusedEnded")).isEqualTo(first.get("ended"));
    assertThat(second.get("key")).isEqualTo(first.get("key"));
    assertThat(message(second)).matches("The result of a is reused, from " + TIME);
    assertThat(runs()).isEqualTo(1);
    run("c", body("echo $V"), ",\"environment\":{\"V\":\"1\"},\"reuse\":\"no\"");
    assertThat(runs()).isEqualTo(2);
  }

  @Test
  void aBlockReusesItsOwnResultBeforeThatOfAnotherOne() throws IOException {
    run("a1", body("echo 1"), ",\"name\":\"a\"");
    run("b1", body("echo 1"), ",\"name\":\"b\",\"reuse\":\"no\"");
    JsonObject again = run("a2", body("echo 1"), ",\"name\":\"a\",\"reuse\":\"yes\"");
    assertThat(again.get("reused").getAsString()).isEqualTo("a1");
    JsonObject other = run("c1", body("echo 1"), ",\"name\":\"c\",\"reuse\":\"yes\"");
    assertThat(other.get("reused").getAsString()).isIn("a1", "b1");
  }

  @Test
  void aTaskThatHasEndedWithoutAServerEndedThen() throws IOException {
    submit("{\"id\":\"a\",\"body\":\"%s\"}".formatted(body("sleep 0.5; date +%s >> " + runs)));
    await().atMost(LONG).until(() -> runs() == 1);
    server.close();
    Instant late = Instant.now();
    await().atMost(LONG).until(() -> runs() == 2 && late.plusSeconds(7).isBefore(Instant.now()));
    begin();
    long ended = ended("a").get("ended").getAsLong();
    assertThat(ended / 1000)
        .isLessThanOrEqualTo(Long.parseLong(Files.readAllLines(runs).get(1)) + 3);
  }

  @Test
  void aResultIsThereAsLongAsOneTaskThatHasIt() throws IOException {
    run("a", body("echo 1"), "");
    run("b", body("echo 1"), ",\"reuse\":\"only\"");
    server.call("task/forget", "{\"ids\":[\"b\"]}");
    JsonObject c = run("c", body("echo 1"), ",\"reuse\":\"yes\"");
    assertThat(c.get("reused").getAsString()).isEqualTo("a");
    server.call("task/forget", "{\"ids\":[\"a\"]}");
    JsonObject d = run("d", body("echo 1"), ",\"reuse\":\"yes\"");
    assertThat(d.get("reused").getAsString()).isEqualTo("a");
    assertThat(stdout(d)).isEqualTo("1\n");
    server.call("task/forget", "{\"ids\":[\"c\",\"d\"]}");
    assertThat(run("e", body("echo 1"), ",\"reuse\":\"yes\"").has("reused")).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "body|\"reuse\":\"yes\"|echo other",
        "environment|\"reuse\":\"yes\",\"environment\":{\"V\":\"2\"}|true",
        "command|\"reuse\":\"yes\",\"interpreter\":[\"bash\"]|true",
        "directory|\"reuse\":\"yes\",\"directory\":\"sub\"|true",
        "files|\"reuse\":\"yes\",\"fetch\":[\"f\"]|true",
        "values|\"reuse\":\"yes\",\"inputs\":{\"values\":\"2\",\"text\":\"1\"}|echo other"
      })
  void whatGoesInDecidesAndIsNamed(String part, String field, String body) throws IOException {
    run("a", body("true"), ",\"inputs\":{\"values\":\"1\",\"text\":\"1\"}");
    String only =
        field.replace("yes", "only")
            + (field.contains("inputs") ? "" : ",\"inputs\":{\"values\":\"1\",\"text\":\"1\"}");
    JsonObject stale = run("b", body(body), "," + only);
    assertThat(stale.get("state").getAsString()).isEqualTo("ERROR");
    assertThat(stale.get("reason").getAsString()).isEqualTo("STALE");
    assertThat(message(stale))
        .matches(part + " differs from the run that ended at " + TIME + " .*");
    assertThat(runs()).isEqualTo(1);
    assertThat(run("c", body(body), "," + field).has("reused")).isFalse();
    assertThat(runs()).isEqualTo(2);
  }

  @Test
  void whatHasNotFinishedWellIsNotReused() throws IOException {
    run("failed", body("exit 3"), "");
    assertThat(run("again", body("exit 3"), ",\"reuse\":\"yes\"").get("exitStatus").getAsInt())
        .isEqualTo(3);
    submit("{\"id\":\"killed\",\"body\":\"" + body("sleep 1000") + "\"}");
    await().atMost(LONG).until(() -> runs() == 3);
    server.call("task/kill", "{\"ids\":[\"killed\"]}");
    ended("killed");
    submit("{\"id\":\"new\",\"body\":\"" + body("sleep 1000") + "\",\"reuse\":\"yes\"}");
    await().atMost(LONG).until(() -> runs() == 4);
    assertThat(message(run("only", body("exit 3"), ",\"reuse\":\"only\"")))
        .contains("the run that ended at ", " is FAILED");
    run("never", body("echo n"), ",\"reuse\":\"never\"");
    assertThat(run("then", body("echo n"), ",\"reuse\":\"yes\"").has("reused")).isFalse();
  }

  @Test
  void aResultThatWasCutIsNotReused() throws IOException {
    server.close();
    server = new ServerProcess(directory.resolve("state"), "--result-limit", "4");
    server.call("initialize", "{}");
    run("a", body("echo 123456"), "");
    assertThat(run("b", body("echo 123456"), ",\"reuse\":\"yes\"").has("reused")).isFalse();
    assertThat(message(run("c", body("echo 123456"), ",\"reuse\":\"only\"")))
        .isEqualTo("the result of the last run is not complete");
  }

  @Test
  void aBlockIsStaleIfOneThatComesBeforeItIs() throws IOException {
    String before = ",\"name\":\"prepare\"";
    String after = ",\"afterBlocks\":[\"prepare\"],\"reuse\":\"yes\"";
    assertThat(message(run("x", body("true"), ",\"afterBlocks\":[\"prepare\"],\"reuse\":\"only\"")))
        .contains("has no result that is known here");
    run("p1", "echo 1", before);
    run("a1", body("echo a"), after);
    assertThat(run("a2", body("echo a"), after).get("reused").getAsString()).isEqualTo("a1");
    run("p2", "echo 2", before);
    assertThat(run("a3", body("echo a"), after).has("reused")).isFalse();
    run("p3", "echo 1", before);
    assertThat(run("a4", body("echo a"), after).get("reused").getAsString()).isEqualTo("a1");
    assertThat(runs()).isEqualTo(2);
  }

  @Test
  void aFileOfThisMachineCountsByItsContent() throws IOException {
    Path input = Files.writeString(directory.resolve("input"), "1");
    String uris = ",\"uris\":[{\"value\":\"" + input + "\"}],\"reuse\":\"yes\"";
    assertThat(stdout(run("a", body("cat input"), uris))).isEqualTo("1");
    assertThat(run("b", body("cat input"), uris).get("reused").getAsString()).isEqualTo("a");
    Files.writeString(input, "2");
    assertThat(stdout(run("c", body("cat input"), uris))).isEqualTo("2");
    assertThat(runs()).isEqualTo(2);
  }

  @Test
  void filesAreKeptWithTheResultUntilTheLastTaskThatHasItIsForgotten() throws IOException {
    String files = ",\"fetch\":[\"out/f\"],\"fetchOptional\":[\"missing\"],\"reuse\":\"yes\"";
    run("a", body("mkdir out; printf kept > out/f; printf more > g"), files);
    assertThat(server.call("task/forget", "{\"ids\":[\"a\"]}").toString()).contains("\"a\"");
    run("b", body("mkdir out; printf kept > out/f; printf more > g"), files);
    JsonObject reused = run("c", body("mkdir out; printf kept > out/f; printf more > g"), files);
    assertThat(reused.get("reused").getAsString()).isEqualTo("b");
    assertThat(runs()).isEqualTo(2);
    server.call("task/forget", "{\"ids\":[\"b\"]}");
    assertThat(read("c", "out/f")).isEqualTo("kept");
    JsonArray listed =
        server
            .call("task/files", "{\"id\":\"c\",\"path\":\"out\"}")
            .getAsJsonObject("result")
            .getAsJsonArray("files");
    assertThat(listed).hasSize(1);
    assertThat(listed.get(0).getAsJsonObject().get("size").getAsLong()).isEqualTo(4);
    assertThat(kept()).hasSize(1);
    server.call("task/forget", "{\"ids\":[\"c\"]}");
    run("d", body("mkdir out; printf other > out/f"), files);
    server.call("task/forget", "{\"ids\":[\"d\"]}");
    run("e", body("mkdir out; printf third > out/f"), files);
    server.call("task/forget", "{\"ids\":[\"e\"]}");
    await().atMost(LONG).until(() -> kept().size() == 1);
  }

  @Test
  void aResultWithoutAFileThatItNeedsIsNotReused() throws IOException {
    Path gate = directory.resolve("gate");
    String files = ",\"fetch\":[\"f\"],\"reuse\":\"yes\"";
    String body = body("[ ! -e " + gate + " ] || printf made > f");
    run("a", body, files);
    Files.createFile(gate);
    assertThat(run("b", body, files).has("reused")).isFalse();
    assertThat(run("c", body, files).get("reused").getAsString()).isEqualTo("b");
    Path file = kept().get(0);
    Files.writeString(file, "bade");
    assertThat(run("d", body, files).has("reused")).isFalse();
    assertThat(read("d", "f")).isEqualTo("made");
    Files.delete(file);
    assertThat(message(run("e", body, files.replace("yes", "only")))).contains("not complete");
    assertThat(run("f", body, files).has("reused")).isFalse();
    assertThat(runs()).isEqualTo(4);
  }

  @Test
  void whatIsHalfWrittenIsDeletedByTheNextServer() throws IOException {
    run("a", "printf made > f", ",\"fetch\":[\"f\"]");
    server.close();
    Files.createFile(state.resolve("files/new-123"));
    begin();
    await().atMost(LONG).until(() -> kept().size() == 1);
    JsonObject again = run("b", "printf made > f", ",\"fetch\":[\"f\"],\"reuse\":\"yes\"");
    assertThat(again.get("reused").getAsString()).isEqualTo("a");
  }

  private List<Path> kept() throws IOException {
    try (Stream<Path> files = Files.list(state.resolve("files"))) {
      return files.toList();
    }
  }

  private String read(String id, String path) throws IOException {
    JsonObject answer =
        server.call("task/read", "{\"id\":\"%s\",\"path\":\"%s\"}".formatted(id, path));
    return new String(
        Base64.getDecoder().decode(answer.getAsJsonObject("result").get("data").getAsString()),
        StandardCharsets.UTF_8);
  }

  @Test
  void aGroupRunsNoMoreMembersAtOnceThanItsLimitRetriesIncluded() throws IOException {
    Path running = Files.createDirectory(directory.resolve("running"));
    String body =
        "mkdir RUNNING/$ID; ls RUNNING | wc -l; sleep 0.05; rmdir RUNNING/$ID; exit 1"
            .replace("RUNNING", running.toString());
    submit(
        IntStream.range(0, 6)
            .mapToObj(
                n ->
                    ("{\"id\":\"g.%d\",\"group\":\"g\",\"limit\":2,\"cpus\":0.01,\"mem\":1,"
                            + "\"attempts\":2,\"backoff\":0,\"environment\":{\"ID\":\"%d\"},"
                            + "\"body\":\"%s\"}")
                        .formatted(n, n, body))
            .toArray(String[]::new));
    await().atMost(LONG).until(() -> message(server.task("g.5")).contains("2 can run at once"));
    for (int n = 0; n < 6; n++) {
      JsonObject task = ended("g." + n);
      assertThat(task.get("attempt").getAsInt()).isEqualTo(1);
      assertThat(Integer.parseInt(stdout(task).trim())).isBetween(1, 2);
    }
  }
}

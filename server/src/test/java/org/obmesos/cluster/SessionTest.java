// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.obmesos.rpc.ServerProcess;

/** Sessions on a cluster: the real program, an agent that speaks its API, and what can die. */
final class SessionTest {
  /** As in ob-mesos-interpreter.el. */
  private static final String SHELL =
      """
      trap 'return 130' INT
      while IFS= read -r task; do
        . "$task/.block" >>"$task/stdout" 2>>"$task/stderr" </dev/null 3>&-
        printf '%s\\n' "$?" >&3
      done""";

  @TempDir private Path directory;
  private TestCluster cluster;
  private TestExecutors executors;
  private TestMaster master;
  private ServerProcess server;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestCluster(directory.resolve("cluster"));
    executors = new TestExecutors(cluster);
    master = new TestMaster(executors);
    begin();
  }

  @AfterEach
  void stop() {
    server.close();
    master.close();
    executors.close();
    cluster.close();
  }

  private void begin() throws IOException {
    server = new ServerProcess(directory.resolve("state"), "--master", master.address());
    assertThat(server.call("initialize", "{}").has("result")).isTrue();
  }

  private static JsonObject block(String id, String session, String body) {
    JsonObject item = new JsonObject();
    item.addProperty("id", id);
    item.addProperty("body", body);
    JsonArray words = new JsonArray();
    words.add(new JsonPrimitive("sh"));
    words.add(new JsonPrimitive("-c"));
    words.add(new JsonPrimitive(SHELL));
    item.add("interpreter", words);
    JsonObject name = new JsonObject();
    name.addProperty("name", session);
    item.add("session", name);
    return item;
  }

  private void submit(JsonObject... blocks) throws IOException {
    JsonArray items = new JsonArray();
    for (JsonObject block : blocks) {
      items.add(block);
    }
    JsonObject params = new JsonObject();
    params.add("blocks", items);
    assertThat(server.call("task/submit", params.toString()).has("result")).isTrue();
  }

  private JsonObject ended(String id) {
    await().atMost(FrameworkTests.LONG).until(() -> server.task(id).get("terminal").getAsBoolean());
    try {
      return server.task(id);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private String output(String id) {
    JsonObject task = ended(id);
    assertThat(task.get("state").getAsString()).as(task.toString()).isEqualTo("FINISHED");
    return task.getAsJsonObject("result").get("stdout").getAsString();
  }

  private void awaitState(String id, String state) {
    await()
        .atMost(FrameworkTests.LONG)
        .until(() -> server.task(id).get("state").getAsString().equals(state));
  }

  /** Session s has set A; the block that is submitted next says why the session has ended. */
  private void assertTheNextBlockFailsAndOneAfterItBeginsAnew(String why) throws IOException {
    submit(block("b", "s", "echo \"A is $A\""));
    JsonObject failed = ended("b");
    assertThat(failed.get("state").getAsString()).isIn("ERROR", "FAILED");
    assertThat(failed.toString()).contains("session").contains(why);
    submit(block("c", "s", "echo \"A is $A\""));
    assertThat(output("c")).isEqualTo("A is \n");
  }

  private JsonArray sessions() throws IOException {
    return server.call("session/list", "{}").getAsJsonObject("result").getAsJsonArray("sessions");
  }

  @Test
  void filesAreCopiedFromTheWorkingDirectoryOfTheSession() throws Exception {
    JsonObject writes =
        block("a", "s", "mkdir -p sub; cd sub; echo 1 >one; mkdir d; echo 2 >d/two");
    JsonArray files = new JsonArray();
    List.of("one", "d/two", "missing").forEach(files::add);
    writes.getAsJsonObject("session").add("files", files);
    submit(writes, block("b", "s", "echo 3 >one; cat d/two"));
    assertThat(output("b")).isEqualTo("2\n");
    assertThat(content("a", "one")).isEqualTo("1\n");
    assertThat(content("a", "d/two")).isEqualTo("2\n");
  }

  @Test
  void anIdleSessionGoesOnWhenTasksAreKilledAtTheEndOfTheServer() throws Exception {
    submit(block("a", "s", "x=5"));
    ended("a");
    submit(plain("b", "sleep 600"));
    awaitState("b", "RUNNING");
    assertThat(server.call("shutdown", "{\"kill\":[\"b\"]}").has("error")).isFalse();
    server.close();
    begin();
    submit(block("c", "s", "echo $x"));
    assertThat(output("c")).isEqualTo("5\n");
    assertThat(ended("b").get("state").getAsString()).isEqualTo("KILLED");
  }

  @Test
  void anInterpreterThatIsNotThereIsNamed() throws Exception {
    JsonObject block = block("a", "s", "true");
    JsonArray words = new JsonArray();
    List.of("sh", "-c", "exec no-such-interpreter").forEach(words::add);
    block.add("interpreter", words);
    submit(block);
    assertThat(ended("a").getAsJsonObject("result").get("stderr").getAsString())
        .contains("no-such-interpreter", "The session s has ended with this block");
  }

  private static JsonObject plain(String id, String body) {
    JsonObject item = new JsonObject();
    item.addProperty("id", id);
    item.addProperty("body", body);
    return item;
  }

  private static String location(String id, String path) {
    JsonObject params = new JsonObject();
    params.addProperty("id", id);
    params.addProperty("path", path);
    params.addProperty("offset", 0);
    params.addProperty("length", 100);
    return params.toString();
  }

  private String content(String id, String path) throws IOException {
    JsonObject result = server.call("task/read", location(id, path)).getAsJsonObject("result");
    return new String(
        Base64.getDecoder().decode(result.get("data").getAsString()), StandardCharsets.UTF_8);
  }

  @Test
  void theBlocksOfASessionRunInOrderAndKeepItsState() throws Exception {
    JsonObject urgent = block("c", "s", "echo $A $B");
    urgent.addProperty("priority", 5);
    submit(
        block("a", "s", "sleep 0.2; A=1"),
        block("b", "s", "B=2; cd /"),
        urgent,
        block("d", "s", "pwd"),
        block("e", "other", "echo ${A-none}"));
    assertThat(output("c")).isEqualTo("1 2\n");
    assertThat(output("d")).isEqualTo("/\n");
    assertThat(output("e")).isEqualTo("none\n");
    assertThat(executors.started()).isEqualTo(2);
    assertThat(sessions()).hasSize(2);
    assertThat(sessions().get(0).getAsJsonObject().get("name").getAsString()).isEqualTo("s");
    assertThat(sessions().get(0).getAsJsonObject().get("id").getAsString()).isEqualTo("d");
  }

  @Test
  void aKilledBlockIsInterruptedAndTheSessionGoesOn() throws Exception {
    submit(block("a", "s", "A=1; echo $$; sleep 1000; echo no"), block("b", "s", "echo $A"));
    awaitState("a", "RUNNING");
    await()
        .atMost(FrameworkTests.LONG)
        .until(
            () ->
                server.call("task/kill", "{\"ids\":[\"a\"]}").has("result")
                    && server.task("a").get("terminal").getAsBoolean());
    assertThat(ended("a").get("state").getAsString()).isEqualTo("KILLED");
    assertThat(output("b")).isEqualTo("1\n");
  }

  @Test
  void aSessionOutlivesTheServer() throws Exception {
    submit(block("a", "s", "A=1"));
    ended("a");
    server.close();
    begin();
    submit(block("b", "s", "echo $A; A=2; sleep 0.5"));
    awaitState("b", "RUNNING");
    server.close();
    begin();
    submit(block("c", "s", "echo $A"));
    assertThat(output("b")).isEqualTo("1\n");
    assertThat(output("c")).isEqualTo("2\n");
    assertThat(executors.started()).isEqualTo(1);
  }

  @Test
  void aBlockWhoseSessionWasLostWhileItWasIdleSaysSo() throws Exception {
    submit(block("a", "s", "A=1"));
    ended("a");
    executors.killExecutors();
    await().atMost(FrameworkTests.LONG).until(() -> executors.running() == 0);
    await().until(() -> sessions().get(0).getAsJsonObject().has("lost"));
    assertTheNextBlockFailsAndOneAfterItBeginsAnew("has ended");
  }

  @Test
  void aBlockWhoseAgentIsGoneSaysSoThoughNoOtherOneMakesAnOffer() throws Exception {
    submit(block("a", "s", "A=1"));
    ended("a");
    master.withholdOffers();
    master.removeAgent(server.task("a").get("agent").getAsString());
    submit(block("b", "s", "echo \"A is $A\""), block("c", "s", "true"));
    assertThat(ended("b").toString()).contains("The session has ended (its agent was lost)");
    assertThat(ended("c").toString()).contains("The session has ended (its agent was lost)");
  }

  @Test
  void aSessionWhoseFrameworkWasRemovedIsNotContinued() throws Exception {
    submit(block("a", "s", "A=1"));
    ended("a");
    master.removeFramework();
    await().atMost(FrameworkTests.LONG).until(() -> sessions().get(0).toString().contains("lost"));
    assertTheNextBlockFailsAndOneAfterItBeginsAnew("has ended (its framework was removed)");
  }

  @Test
  void theInterpreterOfALostSessionEndsWhenItsAgentComesBack() throws Exception {
    submit(block("a", "s", "A=1"));
    ended("a");
    master.removeAgent(server.task("a").get("agent").getAsString());
    assertThat(executors.running()).isEqualTo(1);
    // The offer that the new session takes is of the same agent.
    assertTheNextBlockFailsAndOneAfterItBeginsAnew("has ended (its agent was lost)");
    assertThat(executors.started()).isEqualTo(2);
    await().atMost(FrameworkTests.LONG).until(() -> executors.running() == 1);
    submit(block("d", "s", "echo on"));
    assertThat(output("d")).isEqualTo("on\n");
  }

  @Test
  void aSessionThatIsLostWhileTheServerIsAwayIsNotBegunAgainSilently() throws Exception {
    submit(block("a", "s", "A=1"));
    ended("a");
    server.close();
    executors.killExecutors();
    begin();
    assertTheNextBlockFailsAndOneAfterItBeginsAnew("session");
  }

  @Test
  void whatWaitsForASessionIsNotRunInAnother() throws Exception {
    Path begun = directory.resolve("begun");
    submit(
        block("a", "s", "A=1; touch " + begun + "; sleep 1000"),
        block("b", "s", "echo \"A is $A\""),
        block("c", "s", "echo \"A is $A\""));
    await().atMost(FrameworkTests.LONG).until(() -> Files.exists(begun));
    executors.killExecutors();
    assertThat(ended("a").get("state").getAsString()).isEqualTo("FAILED");
    assertThat(ended("b").get("message").getAsString()).contains("The session has ended");
    assertThat(ended("c").get("message").getAsString()).contains("The session has ended");
  }

  @Test
  void aSessionIsKilledOnRequest() throws Exception {
    submit(block("a", "s", "A=1"));
    ended("a");
    assertThat(server.call("session/kill", "{\"names\":[\"s\"]}").has("result")).isTrue();
    assertThat(sessions()).isEmpty();
    await().atMost(FrameworkTests.LONG).until(() -> executors.running() == 0);
    submit(block("b", "s", "echo \"A is $A\""));
    assertThat(output("b")).isEqualTo("A is \n");
  }

  /** Whenever the kill comes: before the launch, before the begin, while the shell starts. */
  @Test
  void aSessionBeginsAfterItsFirstBlockWasKilled() throws Exception {
    for (int n = 0; n < 5; n++) {
      String id = "a" + n;
      submit(block(id, "s" + n, "sleep 1000"));
      if (n > 0) {
        await()
            .atMost(FrameworkTests.LONG)
            .until(() -> !server.task(id).get("state").getAsString().equals("QUEUED"));
      }
      server.call("task/kill", "{\"ids\":[\"" + id + "\"]}");
      ended(id);
      submit(block("b" + n, "s" + n, "echo on"));
      assertThat(output("b" + n)).isEqualTo("on\n");
    }
  }

  @Test
  void aBlockThatRunsMoreThanOnceHasNoSession() throws Exception {
    JsonObject block = block("a", "s", "true");
    block.addProperty("attempts", 2);
    JsonObject params = new JsonObject();
    JsonArray items = new JsonArray();
    items.add(block);
    params.add("blocks", items);
    assertThat(server.call("task/submit", params.toString()).toString())
        .contains("none for a block with attempts");
  }
}

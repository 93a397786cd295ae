// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Answers about tasks with much output. */
final class LargeAnswerTest {
  private static final int TASKS = 60;

  @TempDir private Path state;

  private static String quoted(List<String> ids) {
    return ids.stream().map(id -> "\"" + id + "\"").collect(Collectors.joining(",", "[", "]"));
  }

  private static List<String> texts(JsonArray array) {
    List<String> texts = new ArrayList<>();
    for (JsonElement element : array) {
      texts.add(element.getAsString());
    }
    return texts;
  }

  @Test
  void tasksThatDoNotFitIntoAnAnswerAreNamedInIt() throws IOException {
    List<String> ids = IntStream.range(0, TASKS).mapToObj(n -> "task-" + n).toList();
    try (ServerProcess server = new ServerProcess(state)) {
      server.call("initialize", "{}");
      for (String id : ids) {
        server.call(
            "task/submit",
            "{\"blocks\":[{\"id\":\"%s\",\"body\":\"head -c 262144 /dev/urandom\"}]}"
                .formatted(id));
        server.ended(id);
      }
      List<String> found = new ArrayList<>();
      List<String> wanted = ids;
      int answers = 0;
      while (!wanted.isEmpty()) {
        JsonObject answer =
            server.call("task/get", "{\"ids\":" + quoted(wanted) + "}").getAsJsonObject("result");
        for (JsonElement task : answer.getAsJsonArray("tasks")) {
          found.add(task.getAsJsonObject().get("id").getAsString());
          assertThat(task.getAsJsonObject().get("result").isJsonObject()).isTrue();
        }
        assertThat(answer.getAsJsonArray("tasks")).isNotEmpty();
        wanted = texts(answer.getAsJsonArray("omitted"));
        answers++;
      }
      assertThat(found).isEqualTo(ids);
      assertThat(answers).isGreaterThan(1);
    } finally {
      ServerProcess.endSupervisor(state);
    }
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tasks whose programs are too large to wait in memory. */
final class ManyBodiesTest {
  private static final int CHARS = 200_000;
  private static final int AT_ONCE = 40;

  @TempDir private Path state;

  private static String blocks(int request) {
    String body = "#" + "x".repeat(CHARS);
    return IntStream.range(0, AT_ONCE)
        .mapToObj(
            n ->
                "{\"id\":\"a%d-%d\",\"body\":\"%s\",\"after\":[\"first\"]}"
                    .formatted(request, n, body))
        .collect(Collectors.joining(",", "{\"blocks\":[", "]}"));
  }

  @Test
  void bodiesAreRefusedOnceTheyWouldTakeTooMuchMemory() throws IOException {
    try (ServerProcess server = new ServerProcess(state)) {
      server.call("initialize", "{}");
      server.call("task/submit", "{\"blocks\":[{\"id\":\"first\",\"body\":\"sleep 600\"}]}");
      JsonObject answer = new JsonObject();
      int accepted = 0;
      while (!answer.has("error")) {
        answer = server.call("task/submit", blocks(accepted));
        accepted += answer.has("error") ? 0 : AT_ONCE;
      }
      assertThat(answer.getAsJsonObject("error").get("message").getAsString())
          .contains("32 MiB together");
      // The server goes on, with what it has accepted.
      assertThat(accepted).isBetween(2 * AT_ONCE, 5 * AT_ONCE);
      assertThat(server.call("task/list", "{}").getAsJsonObject("result").getAsJsonArray("tasks"))
          .hasSize(accepted + 1);
      server.call("task/kill", "{\"ids\":[\"first\"]}");
      assertThat(server.ended("first").get("state").getAsString()).isEqualTo("KILLED");
    } finally {
      ServerProcess.endSupervisor(state);
    }
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.obmesos.rpc.ServerProcess;

/** Two hundred blocks that each leave a mark when they run, for what may lose or repeat them. */
final class MarkedBlocks {
  private static final int COUNT = 200;

  private final Path directory;
  private final Supplier<ServerProcess> server;
  private final Duration patience;

  /**
   * Submits the blocks, which run once at most.
   *
   * @param directory where they leave their marks
   * @param server the server of the moment
   * @param more more members of each block in JSON, with a comma before each
   */
  MarkedBlocks(Path directory, Supplier<ServerProcess> server, String more, Duration patience)
      throws IOException {
    this.directory = directory;
    this.server = server;
    this.patience = patience;
    String blocks =
        IntStream.range(0, COUNT)
            .mapToObj(
                n ->
                    ("{\"id\":\"t%1$d\",\"body\":\"set -C; true > %2$s || true > %3$s; sleep 0.1;"
                            + " echo %1$d\",\"attempts\":1%4$s}")
                        .formatted(n, mark(n), repeated(n), more))
            .collect(Collectors.joining(","));
    server.get().call("task/submit", "{\"blocks\":[" + blocks + "]}");
  }

  /** The file that a block creates when it runs; a shell that is killed does that or does not. */
  private Path mark(int n) {
    return directory.resolve("ran-" + n);
  }

  /** The file that a block creates when it runs although it has run before. */
  private Path repeated(int n) {
    return directory.resolve("repeated-" + n);
  }

  /** Waits until so many have begun. */
  void awaitBegun(int count) {
    await()
        .atMost(patience)
        .untilAsserted(
            () ->
                // What dies can end tasks that have not left a mark yet.
                assertThat(begun() >= count || allEnded()).as(states()).isTrue());
  }

  private long begun() {
    return IntStream.range(0, COUNT).filter(n -> Files.exists(mark(n))).count();
  }

  private boolean allEnded() throws IOException {
    for (int n = 0; n < COUNT; n++) {
      if (!task(n).get("terminal").getAsBoolean()) {
        return false;
      }
    }
    return true;
  }

  private JsonObject task(int n) throws IOException {
    return server.get().task("t" + n);
  }

  /** Returns how many tasks are in each state, and why. */
  private String states() throws IOException {
    Map<String, Integer> counts = new TreeMap<>();
    for (int n = 0; n < COUNT; n++) {
      JsonObject task = task(n);
      counts.merge(task.get("state") + " " + task.get("message"), 1, Integer::sum);
    }
    return counts.toString();
  }

  /** Waits for all: each has run once and has its result, or says what ended it. */
  void assertNoneLostAndNoneRepeated() throws IOException {
    await().atMost(patience).untilAsserted(() -> assertThat(allEnded()).as(states()).isTrue());
    int finished = 0;
    for (int n = 0; n < COUNT; n++) {
      JsonObject task = task(n);
      if (task.get("state").getAsString().equals("FINISHED")) {
        finished++;
        assertThat(task.getAsJsonObject("result").get("stdout").getAsString()).isEqualTo(n + "\n");
        assertThat(mark(n)).exists();
      } else {
        assertThat(task.get("state").getAsString()).isEqualTo("FAILED");
        // A server that was away can be told the end by the master, which knows no more.
        assertThat(task.get("reason").getAsString())
            .isIn("REASON_EXECUTOR_TERMINATED", "REASON_RECONCILIATION");
      }
      assertThat(repeated(n)).doesNotExist();
    }
    assertThat(finished).as(states()).isPositive();
  }
}

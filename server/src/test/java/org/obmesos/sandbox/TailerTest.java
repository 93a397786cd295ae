// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.obmesos.task.TaskId;

final class TailerTest {
  private final Lanes lanes = new Lanes();
  private final BlockingQueue<Runnable> posted = new LinkedBlockingQueue<>();
  private final List<TaskId> told = new ArrayList<>();
  private final Tailer tailer = new Tailer(posted::add, lanes, (id, tail, size) -> told.add(id));
  private final Map<TaskId, Remote> sandboxes = new LinkedHashMap<>();

  /** One on an agent, with a counter of how often it was asked for its size. */
  private static final class Remote implements Sandbox {
    private final AtomicInteger asked = new AtomicInteger();
    private volatile byte[] stdout = new byte[0];

    @Override
    public long size(String path) {
      asked.incrementAndGet();
      return stdout.length;
    }

    @Override
    public byte[] read(String path, long offset, int length) {
      return Arrays.copyOfRange(
          stdout, (int) offset, (int) Math.min(stdout.length, offset + length));
    }

    @Override
    public List<Entry> list(String path) {
      return List.of();
    }

    @Override
    public boolean isWrittenLate() {
      return true;
    }

    @Override
    public String location() {
      return "";
    }
  }

  @AfterEach
  void stop() {
    lanes.close();
  }

  private void follow(String agent, int count) {
    for (int n = 0; n < count; n++) {
      TaskId id = new TaskId(agent + "-" + n);
      Remote sandbox = new Remote();
      sandboxes.put(id, sandbox);
      tailer.follow(id, agent, sandbox, 3);
    }
  }

  private int asked() {
    return sandboxes.values().stream().mapToInt(sandbox -> sandbox.asked.get()).sum();
  }

  /** One interval, in which so many tasks are looked at. */
  private void look(int expected) throws InterruptedException {
    tailer.look();
    for (int n = 0; n < expected; n++) {
      posted.take().run();
    }
    assertThat(posted).isEmpty();
  }

  @Test
  void aHundredTasksOfOneAgentTakeTurns() throws Exception {
    follow("a", 100);
    for (int round = 0; round < 100 / Tailer.MOST_OF_AN_AGENT; round++) {
      look(Tailer.MOST_OF_AN_AGENT);
    }
    assertThat(sandboxes.values()).allSatisfy(each -> assertThat(each.asked).hasValue(1));
  }

  @Test
  void allAgentsTogetherAreNotAskedTooMuch() throws Exception {
    for (int agent = 0; agent < 50; agent++) {
      follow("agent" + agent, 20);
    }
    look(Tailer.MOST_OF_ALL);
    look(Tailer.MOST_OF_ALL);
    assertThat(asked()).isEqualTo(2 * Tailer.MOST_OF_ALL);
  }

  @Test
  void whatSomebodyLooksAtGoesFirst() throws Exception {
    follow("a", 100);
    TaskId seen = new TaskId("a-77");
    tailer.watch(Set.of(seen));
    look(Tailer.MOST_OF_AN_AGENT);
    assertThat(sandboxes.get(seen).asked).hasValue(1);
  }

  @Test
  void theLastLinesAreToldOnceForEachThatIsNew() throws Exception {
    follow("a", 1);
    TaskId id = new TaskId("a-0");
    tailer.watch(Set.of(id));
    sandboxes.get(id).stdout = "1\n2\n".getBytes(StandardCharsets.UTF_8);
    look(1);
    look(1);
    assertThat(told).containsExactly(id);
  }

  @Test
  void anAgentThatDoesNotAnswerHoldsUpNobodyElse() throws Exception {
    CountDownLatch answer = new CountDownLatch(1);
    BlockingQueue<String> done = new LinkedBlockingQueue<>();
    lanes.execute(
        "silent",
        () -> {
          try {
            answer.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          done.add("silent");
        });
    lanes.execute("silent", () -> done.add("silent again"));
    lanes.execute("other", () -> done.add("other"));
    assertThat(done.take()).isEqualTo("other");
    answer.countDown();
    assertThat(done.take()).isEqualTo("silent");
    assertThat(done.take()).isEqualTo("silent again");
  }
}

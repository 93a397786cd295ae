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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.obmesos.task.TaskId;

final class TailerTest {
  private final KeyedSerialExecutor readers = new KeyedSerialExecutor();
  private final BlockingQueue<Runnable> posted = new LinkedBlockingQueue<>();
  private final List<TaskId> told = new ArrayList<>();
  private final Tailer tailer = new Tailer(posted::add, readers, (id, tail, size) -> told.add(id));
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
    public boolean isRemote() {
      return true;
    }

    @Override
    public String location() {
      return "";
    }
  }

  @AfterEach
  void stop() {
    readers.close();
  }

  private void follow(String agent, int count) {
    for (int n = 0; n < count; n++) {
      TaskId id = new TaskId(agent + "-" + n);
      Remote sandbox = new Remote();
      sandboxes.put(id, sandbox);
      tailer.follow(id, agent, sandbox, 3, false);
    }
  }

  private int asked() {
    return sandboxes.values().stream().mapToInt(sandbox -> sandbox.asked.get()).sum();
  }

  /** One interval, in which so many tasks are looked at. */
  private void poll(int expected) throws InterruptedException {
    tailer.poll();
    for (int n = 0; n < expected; n++) {
      posted.take().run();
    }
    assertThat(posted).isEmpty();
  }

  @Test
  void aHundredTasksOfOneAgentTakeTurns() throws Exception {
    follow("a", 100);
    for (int round = 0; round < 100 / Tailer.MAX_PER_AGENT; round++) {
      poll(Tailer.MAX_PER_AGENT);
    }
    assertThat(sandboxes.values()).allSatisfy(each -> assertThat(each.asked).hasValue(1));
  }

  @Test
  void allAgentsTogetherAreNotAskedTooMuch() throws Exception {
    for (int agent = 0; agent < 50; agent++) {
      follow("agent" + agent, 20);
    }
    poll(Tailer.MAX_REMOTE);
    poll(Tailer.MAX_REMOTE);
    assertThat(asked()).isEqualTo(2 * Tailer.MAX_REMOTE);
  }

  @Test
  void whatSomebodyLooksAtGoesFirst() throws Exception {
    follow("a", 100);
    TaskId seen = new TaskId("a-77");
    tailer.watch(Set.of(seen));
    poll(Tailer.MAX_PER_AGENT);
    assertThat(sandboxes.get(seen).asked).hasValue(1);
  }

  @Test
  void theLastLinesAreToldOnceForEachThatIsNew() throws Exception {
    follow("a", 1);
    TaskId id = new TaskId("a-0");
    tailer.watch(Set.of(id));
    sandboxes.get(id).stdout = "1\n2\n".getBytes(StandardCharsets.UTF_8);
    poll(1);
    poll(1);
    assertThat(told).containsExactly(id);
  }

  @Test
  void anAgentThatDoesNotAnswerHoldsUpNobodyElse() throws Exception {
    CountDownLatch answer = new CountDownLatch(1);
    BlockingQueue<String> done = new LinkedBlockingQueue<>();
    readers.execute(
        "silent",
        KeyedSerialExecutor.Priority.TAIL,
        () -> {
          try {
            answer.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          done.add("silent");
        });
    readers.execute("silent", KeyedSerialExecutor.Priority.TAIL, () -> done.add("silent again"));
    readers.execute("other", KeyedSerialExecutor.Priority.TAIL, () -> done.add("other"));
    assertThat(done.take()).isEqualTo("other");
    answer.countDown();
    assertThat(done.take()).isEqualTo("silent");
    assertThat(done.take()).isEqualTo("silent again");
  }

  @Test
  void aJobThatThrowsDoesNotStopTheOthersOfItsAgent() throws Exception {
    BlockingQueue<String> done = new LinkedBlockingQueue<>();
    readers.execute(
        "agent",
        KeyedSerialExecutor.Priority.REQUEST,
        () -> {
          throw new IllegalArgumentException("http://mesos_agent:5051 has no host");
        });
    readers.execute("agent", KeyedSerialExecutor.Priority.REQUEST, () -> done.add("next"));
    assertThat(done.poll(30, TimeUnit.SECONDS)).isEqualTo("next");
    readers.execute("agent", KeyedSerialExecutor.Priority.REQUEST, () -> done.add("later"));
    assertThat(done.poll(30, TimeUnit.SECONDS)).isEqualTo("later");
    readers.execute(
        "agent",
        KeyedSerialExecutor.Priority.REQUEST,
        () -> {
          throw new StackOverflowError();
        });
    readers.execute("agent", KeyedSerialExecutor.Priority.REQUEST, () -> done.add("last"));
    assertThat(done.poll(30, TimeUnit.SECONDS)).isEqualTo("last");
  }

  @Test
  void agentsThatAlwaysHaveJobsWaitingDoNotKeepAllThreads() throws Exception {
    BlockingQueue<String> done = new LinkedBlockingQueue<>();
    for (int agent = 0; agent < 64; agent++) {
      repeat("busy-" + agent);
      repeat("busy-" + agent);
    }
    readers.execute("other", KeyedSerialExecutor.Priority.REQUEST, () -> done.add("other"));
    assertThat(done.poll(30, TimeUnit.SECONDS)).isEqualTo("other");
  }

  private void repeat(String agent) {
    readers.execute(agent, KeyedSerialExecutor.Priority.TAIL, () -> repeat(agent));
  }

  @Test
  void finalOutputIsReadBeforeRequestsAndTails() throws Exception {
    CountDownLatch answer = new CountDownLatch(1);
    BlockingQueue<String> done = new LinkedBlockingQueue<>();
    readers.execute(
        "agent",
        KeyedSerialExecutor.Priority.TAIL,
        () -> {
          try {
            answer.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    readers.execute("agent", KeyedSerialExecutor.Priority.TAIL, () -> done.add("tail"));
    readers.execute("agent", KeyedSerialExecutor.Priority.REQUEST, () -> done.add("request"));
    readers.execute("agent", KeyedSerialExecutor.Priority.FINAL_OUTPUT, () -> done.add("final"));
    answer.countDown();
    assertThat(done.take()).isEqualTo("final");
    assertThat(done.take()).isEqualTo("request");
    assertThat(done.take()).isEqualTo("tail");
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.obmesos.local.LocalMesos;
import org.obmesos.local.LocalOptions;
import org.obmesos.local.LocalSandboxes;
import org.obmesos.sandbox.AgentMetrics;
import org.obmesos.sandbox.ExecRequest;
import org.obmesos.sandbox.Execution;
import org.obmesos.sandbox.Sandbox;
import org.obmesos.sandbox.Sandboxes;
import org.obmesos.scheduler.ClusterLimits;
import org.obmesos.scheduler.Framework;
import org.obmesos.scheduler.FrameworkOptions;
import org.obmesos.scheduler.Retention;
import org.obmesos.store.Store;
import org.obmesos.task.AvailableResources;
import org.obmesos.task.Resources;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;

/** A server spends nothing on tasks that have ended. */
final class EndedTaskTest {
  private static final Resources CAPACITY = new Resources(8, 8192, 16384);

  @TempDir Path directory;

  private final RecordingListener listener = new RecordingListener();

  /** Those of the embedded cluster; counts how often the output of one task is looked at. */
  private static final class CountingSandboxes implements Sandboxes {
    private final LocalSandboxes real;
    private final String counted;
    private final AtomicInteger looks = new AtomicInteger();

    CountingSandboxes(Path work, String counted) {
      this.real = new LocalSandboxes(work);
      this.counted = counted;
    }

    @Override
    public Sandbox of(Task task) {
      Sandbox sandbox = real.of(task);
      return task.id().value().equals(counted) ? new Counting(sandbox, looks) : sandbox;
    }

    private record Counting(Sandbox real, AtomicInteger looks) implements Sandbox {
      @Override
      public long size(String path) throws IOException {
        looks.incrementAndGet();
        return real.size(path);
      }

      @Override
      public byte[] read(String path, long offset, int length) throws IOException {
        return real.read(path, offset, length);
      }

      @Override
      public List<Entry> list(String path) throws IOException {
        return real.list(path);
      }

      @Override
      public String location() {
        return real.location();
      }
    }

    @Override
    public Execution exec(Task task, ExecRequest request) throws IOException {
      return real.exec(task, request);
    }

    @Override
    public AgentMetrics metrics(String agentUrl) throws IOException {
      return real.metrics(agentUrl);
    }

    @Override
    public void delete(Task task) throws IOException {
      real.delete(task);
    }
  }

  @Test
  void theOutputOfATaskThatHasEndedIsLookedAtNoMore() throws Exception {
    Path work = directory.resolve("cluster");
    CountingSandboxes sandboxes = new CountingSandboxes(work, "short");
    FrameworkOptions options =
        TestOptions.of(
            Optional.of(
                new ClusterLimits(
                    new AvailableResources(CAPACITY, LocalOptions.PORTS),
                    LocalOptions::rejectionReason)),
            Retention.DEFAULT);
    try (Store store = new Store(directory.resolve("store.db"));
        Framework framework =
            new Framework(
                store,
                sandboxes,
                options,
                listener,
                scheduler ->
                    new LocalMesos(
                        scheduler,
                        new LocalOptions(work, CAPACITY, Duration.ofDays(7), Set.of())))) {
      Path go = directory.resolve("go");
      submit(framework, "short", "echo begun; until [ -e " + go + " ]; do sleep 0.1; done");
      Files.createFile(go);
      await().until(() -> listener.results.containsKey(new TaskId("short")));
      submit(framework, "first", "echo begun; sleep 600");
      int looks = sandboxes.looks.get();
      submit(framework, "second", "echo begun; sleep 600");
      submit(framework, "third", "echo begun; sleep 600");
      assertThat(sandboxes.looks).hasValue(looks);
      framework.kill(Stream.of("first", "second", "third").map(TaskId::new).toList()).join();
      await().until(() -> listener.results.size() == 4);
    }
  }

  /** Submits a task, and waits until its output was looked at. */
  private void submit(Framework framework, String id, String body) {
    framework.submit(List.of(TestBlocks.of(id, body)), Map.of()).join();
    await().until(() -> "begun".equals(listener.tails.get(new TaskId(id))));
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.obmesos.task.Reuse;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.obmesos.util.NamedExecutors;

final class FinalOutputReaderTest {
  /** A process that the task has left behind writes a byte whenever somebody looks. */
  private static final class GrowingSandbox implements Sandbox {
    private final AtomicLong size = new AtomicLong();

    @Override
    public long size(String path) {
      return path.equals("stdout") ? size.incrementAndGet() : 0;
    }

    @Override
    public byte[] read(String path, long offset, int length) {
      int left = path.equals("stdout") ? (int) Math.min(length, size.get() - offset) : 0;
      return "x".repeat(Math.max(0, left)).getBytes(StandardCharsets.US_ASCII);
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

  @Test
  void aTaskWhoseOutputNeverStopsGrowingEndsNevertheless() throws Exception {
    ScheduledThreadPoolExecutor timer = NamedExecutors.single("timer");
    KeyedSerialExecutor executor = new KeyedSerialExecutor();
    try {
      TaskResult result =
          new FinalOutputReader(
                  new FinalOutputReader.Source(
                      new TaskId("t"),
                      new GrowingSandbox(),
                      "agent",
                      1000,
                      Duration.ZERO,
                      Reuse.NONE),
                  new KeptFiles(Path.of("unused")),
                  timer,
                  executor)
              .start()
              .get(1, TimeUnit.MINUTES);
      assertThat(result.stdout()).matches("x+");
    } finally {
      timer.shutdown();
      executor.close();
    }
  }
}

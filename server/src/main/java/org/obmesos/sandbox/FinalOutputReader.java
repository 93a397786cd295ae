// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.obmesos.task.KeptFile;
import org.obmesos.task.Reuse;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.obmesos.util.Backoff;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the output of one task that has ended. Where it can be written late, waits until its size
 * does not change any more. If the sandbox is unavailable, tries again until a deadline; a task
 * whose output cannot be read ends nevertheless, and its result says so.
 */
final class FinalOutputReader {
  private static final Logger log = LoggerFactory.getLogger(FinalOutputReader.class);
  private static final Duration SETTLE = Duration.ofMillis(100);

  /** How long output that is still growing is waited for: a process left behind may write on. */
  private static final Duration MAX_SETTLE = Duration.ofSeconds(5);

  private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(200), Duration.ofSeconds(5));

  private final TaskId id;
  private final Sandbox sandbox;
  private final String key;
  private final int limit;
  private final Instant deadline;
  private final Reuse reuse;
  private final KeptFiles keptFiles;
  private final ScheduledExecutorService timer;
  private final KeyedSerialExecutor executor;
  private final CompletableFuture<TaskResult> result = new CompletableFuture<>();
  private int failures;

  /**
   * What to read.
   *
   * @param key the key of its jobs
   * @param limit the largest number of bytes of stdout
   * @param patience how long to try again while the sandbox is unavailable
   * @param reuse the files that belong to the result
   */
  record Source(
      TaskId id, Sandbox sandbox, String key, int limit, Duration patience, Reuse reuse) {}

  FinalOutputReader(
      Source source,
      KeptFiles keptFiles,
      ScheduledExecutorService timer,
      KeyedSerialExecutor executor) {
    this.id = source.id();
    this.sandbox = source.sandbox();
    this.key = source.key();
    this.limit = source.limit();
    this.deadline = Instant.now().plus(source.patience());
    this.reuse = source.reuse();
    this.keptFiles = keptFiles;
    this.timer = timer;
    this.executor = executor;
  }

  private interface Step {
    void run() throws IOException;
  }

  /** Starts; the future never fails. */
  CompletableFuture<TaskResult> start() {
    if (sandbox.isWrittenLate()) {
      attempt(() -> settle(sandbox.size("stdout"), Instant.now().plus(MAX_SETTLE)));
    } else {
      attempt(this::read);
    }
    return result;
  }

  private void settle(long before, Instant until) {
    later(
        SETTLE,
        () -> {
          long now = sandbox.size("stdout");
          if (now == before || Instant.now().isAfter(until)) {
            read();
          } else {
            settle(now, until);
          }
        });
  }

  private void read() throws IOException {
    TaskResult output = Outputs.result(sandbox, limit);
    result.complete(reuse.hasFiles() ? output.with(keepFiles()) : output);
  }

  private Optional<Map<String, KeptFile>> keepFiles() throws SandboxUnavailableException {
    try {
      return keptFiles.keep(sandbox, reuse);
    } catch (SandboxUnavailableException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      log.warn("the files of {} cannot be kept: {}", id, e.toString());
      return Optional.empty();
    }
  }

  private void later(Duration delay, Step step) {
    var unused = timer.schedule(() -> attempt(step), delay.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void attempt(Step step) {
    executor.execute(
        key,
        KeyedSerialExecutor.Priority.FINAL_OUTPUT,
        () -> {
          try {
            step.run();
          } catch (SandboxUnavailableException e) {
            if (Instant.now().isBefore(deadline)) {
              later(BACKOFF.delay(failures++), step);
            } else {
              giveUp(e);
            }
          } catch (IOException | RuntimeException e) {
            giveUp(e);
          }
        });
  }

  private void giveUp(Exception e) {
    log.warn("the output of {} cannot be read: {}", id, e.toString());
    result.complete(TaskResult.unreadable(String.valueOf(e.getMessage())));
  }
}

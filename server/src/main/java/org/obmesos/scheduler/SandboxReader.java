// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.obmesos.sandbox.Outputs;
import org.obmesos.sandbox.Sandbox;
import org.obmesos.sandbox.Sandboxes;
import org.obmesos.sandbox.Tailer;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads what tasks wrote, on a thread of its own, since that can take its time. */
final class SandboxReader {
  private static final Logger log = LoggerFactory.getLogger(SandboxReader.class);

  private static final long SETTLING_MILLIS = 100;

  private final Sandboxes sandboxes;
  private final int resultLimit;
  private final ScheduledThreadPoolExecutor thread;
  private final Tailer tailer;

  SandboxReader(Sandboxes sandboxes, int resultLimit, Tailer.Listener listener) {
    this.sandboxes = sandboxes;
    this.resultLimit = resultLimit;
    this.thread = Threads.one("sandbox-reader");
    this.tailer = new Tailer(thread, listener);
  }

  /** Tells of a task's last lines from now on. */
  void follow(String framework, Task task) {
    int lines = task.block().limits().tailLines();
    if (lines > 0) {
      thread.execute(() -> tailer.follow(task.id(), sandboxes.of(framework, task), lines));
    }
  }

  /** Does something in the sandbox of a task. */
  <T> CompletableFuture<T> read(String framework, Task task, SandboxJob<T> job) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return job.run(sandboxes.of(framework, task));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        },
        thread);
  }

  /**
   * Reads the output of a task that has ended, and follows it no longer.
   *
   * @param framework empty for a task that never was launched
   */
  CompletableFuture<TaskResult> lastWords(Optional<String> framework, Task task) {
    CompletableFuture<TaskResult> whole = new CompletableFuture<>();
    thread.execute(
        () -> {
          tailer.leave(task.id());
          if (framework.isEmpty()) {
            whole.complete(TaskResult.NONE);
          } else {
            Sandbox sandbox = sandboxes.of(framework.get(), task);
            settle(task.id(), sandbox, result(task.id(), sandbox), whole);
          }
        });
    return whole;
  }

  /** Reads again until the size stands still, where it may not. */
  private void settle(
      TaskId id, Sandbox sandbox, TaskResult last, CompletableFuture<TaskResult> whole) {
    if (!sandbox.isWrittenLate()) {
      whole.complete(last);
      return;
    }
    var unused =
        thread.schedule(
            () -> {
              TaskResult now = result(id, sandbox);
              if (now.stdoutBytes() == last.stdoutBytes()) {
                whole.complete(now);
              } else {
                settle(id, sandbox, now, whole);
              }
            },
            SETTLING_MILLIS,
            TimeUnit.MILLISECONDS);
  }

  private TaskResult result(TaskId id, Sandbox sandbox) {
    try {
      return Outputs.result(sandbox, resultLimit);
    } catch (IOException e) {
      log.warn("cannot read what {} wrote", id, e);
      return new TaskResult("", 0, true, "Its output could not be read: " + e.getMessage());
    }
  }

  /** Deletes the sandboxes of tasks that are forgotten. */
  void delete(String framework, Collection<Task> gone) {
    thread.execute(
        () -> {
          for (Task task : gone) {
            try {
              sandboxes.delete(framework, task);
            } catch (IOException e) {
              log.warn("cannot delete the sandbox of {}: {}", task.id(), e.toString());
            }
          }
        });
  }

  void close() {
    thread.shutdown();
  }
}

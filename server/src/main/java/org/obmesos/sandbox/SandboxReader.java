// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.obmesos.driver.Threads;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads what tasks wrote, on threads of its own; every method returns at once. */
public final class SandboxReader implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SandboxReader.class);
  private static final long SETTLING_MILLIS = 100;
  private static final long FIRST_RETRY_MILLIS = 200;

  /** About six seconds in all. */
  private static final int RETRIES = 5;

  private final Sandboxes sandboxes;
  private final int resultLimit;
  private final ScheduledThreadPoolExecutor timer = Threads.one("tailer");
  private final Lanes lanes = new Lanes();
  private final Tailer tailer;

  /**
   * Makes one and starts it.
   *
   * @param resultLimit the largest number of bytes of stdout in a result
   * @param listener hears what tasks that are followed write
   */
  public SandboxReader(Sandboxes sandboxes, int resultLimit, Tailer.Listener listener) {
    this.sandboxes = sandboxes;
    this.resultLimit = resultLimit;
    // A read that ends after the server's end is of no use to anybody.
    timer.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy());
    this.tailer = new Tailer(timer, lanes, listener);
    var unused =
        timer.scheduleWithFixedDelay(
            tailer::look, Tailer.INTERVAL_MILLIS, Tailer.INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Tells of a task's last lines from now on. */
  public void follow(Task task) {
    int lines = task.block().limits().tailLines();
    if (lines > 0) {
      timer.execute(() -> tailer.follow(task.id(), agent(task), sandboxes.of(task), lines));
    }
  }

  /** Tells of them no longer. */
  public void leave(Task task) {
    timer.execute(() -> tailer.leave(task.id()));
  }

  /** Says which tasks somebody looks at: these are looked at more often here too. */
  public void watch(Set<TaskId> visible) {
    timer.execute(() -> tailer.watch(visible));
  }

  private static String agent(Task task) {
    return task.placing().site().agentUrl();
  }

  private Sandbox sandbox(Task task) {
    return task.placing().site().isNone() ? NoSandbox.NONE : sandboxes.of(task);
  }

  /** Does something in the sandbox of a task. */
  public <T> CompletableFuture<T> read(Task task, SandboxJob<T> job) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return job.run(sandbox(task));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        },
        work -> lanes.execute(agent(task), work));
  }

  /** How an agent's machine is; nothing, if it does not tell. */
  public CompletableFuture<AgentFigures> figures(String agentUrl) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return sandboxes.figures(agentUrl);
          } catch (IOException e) {
            log.info("no figures: {}", e.getMessage());
            return AgentFigures.NONE;
          }
        },
        work -> lanes.execute(agentUrl, work));
  }

  /**
   * Reads the output of a task that has ended, and follows it no longer.
   *
   * @param patiently whether to try again where its agent does not answer
   */
  public CompletableFuture<TaskResult> lastWords(Task task, boolean patiently) {
    leave(task);
    if (task.placing().site().isNone()) {
      return CompletableFuture.completedFuture(TaskResult.NONE);
    }
    LastWords words = new LastWords(task, sandboxes.of(task), patiently ? RETRIES : 0);
    words.begin();
    return words.whole;
  }

  /**
   * The output of one ended task. Where others write it down, its size is asked for until it stands
   * still, and only then it is read, once.
   */
  private final class LastWords {
    private final Task task;
    private final Sandbox sandbox;
    private final CompletableFuture<TaskResult> whole = new CompletableFuture<>();
    private final int retries;
    private int failures;

    LastWords(Task task, Sandbox sandbox, int retries) {
      this.task = task;
      this.sandbox = sandbox;
      this.retries = retries;
    }

    void begin() {
      if (sandbox.isWrittenLate()) {
        attempt(() -> settle(sandbox.size("stdout")));
      } else {
        attempt(this::read);
      }
    }

    private void settle(long before) {
      later(
          SETTLING_MILLIS,
          () -> {
            long now = sandbox.size("stdout");
            if (now == before) {
              read();
            } else {
              settle(now);
            }
          });
    }

    private void read() throws IOException {
      whole.complete(Outputs.result(sandbox, resultLimit));
    }

    private void later(long millis, Step step) {
      var unused = timer.schedule(() -> attempt(step), millis, TimeUnit.MILLISECONDS);
    }

    private void attempt(Step step) {
      lanes.execute(
          agent(task),
          () -> {
            try {
              step.run();
            } catch (IOException e) {
              if (sandbox.isWrittenLate() && failures < retries) {
                later(FIRST_RETRY_MILLIS << failures++, step);
              } else {
                log.warn("cannot read what {} wrote", task.id(), e);
                whole.complete(
                    new TaskResult("", 0, true, "Its output could not be read: " + e.getMessage()));
              }
            } catch (RuntimeException e) {
              whole.completeExceptionally(e);
            }
          });
    }
  }

  private interface Step {
    void run() throws IOException;
  }

  /** Deletes the sandboxes of tasks that are forgotten. */
  public void delete(Collection<Task> gone) {
    for (Task task : gone) {
      if (!task.placing().site().isNone()) {
        lanes.execute(agent(task), () -> delete(task));
      }
    }
  }

  private void delete(Task task) {
    try {
      sandboxes.delete(task);
    } catch (IOException e) {
      log.warn("cannot delete the sandbox of {}: {}", task.id(), e.toString());
    }
  }

  @Override
  public void close() {
    timer.shutdown();
    lanes.close();
  }
}

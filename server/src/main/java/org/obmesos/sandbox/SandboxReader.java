// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.obmesos.executor.TaskReport;
import org.obmesos.task.Reuse;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.obmesos.task.Usage;
import org.obmesos.util.NamedExecutors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads sandboxes on threads of its own; every method returns at once. */
public final class SandboxReader implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SandboxReader.class);

  /** How long the output of an ended task is tried to be read while its agent does not answer. */
  private static final Duration FINAL_OUTPUT_PATIENCE = Duration.ofMinutes(2);

  /** How long a client waits for fresh metrics of an agent. */
  private static final long METRICS_MILLIS = 80;

  private static final int MAX_AGENTS = 1000;

  private final Sandboxes sandboxes;
  private final int resultLimit;
  private final KeptFiles keptFiles;
  private final ScheduledThreadPoolExecutor timer = NamedExecutors.single("tailer");
  private final KeyedSerialExecutor executor = new KeyedSerialExecutor();
  private final Tailer tailer;

  /** The last metrics of the agents asked for last. */
  private final Map<String, AgentMetrics> lastMetrics =
      Collections.synchronizedMap(
          new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, AgentMetrics> eldest) {
              return size() > MAX_AGENTS;
            }
          });

  /**
   * Creates a reader and starts it.
   *
   * @param resultLimit the largest number of bytes of stdout in a result
   * @param keptFiles where the files that belong to results are kept
   * @param listener receives the last lines of the tasks that are followed
   */
  public SandboxReader(
      Sandboxes sandboxes, int resultLimit, KeptFiles keptFiles, Tailer.Listener listener) {
    this.keptFiles = keptFiles;
    this.sandboxes = sandboxes;
    this.resultLimit = resultLimit;
    timer.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy());
    this.tailer = new Tailer(timer, executor, listener);
    var unused =
        timer.scheduleWithFixedDelay(
            tailer::poll, Tailer.INTERVAL_MILLIS, Tailer.INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Reports the last lines of a task from now on. */
  public void follow(Task task) {
    int lines = task.block().runPolicy().tailLines();
    if (lines > 0) {
      boolean keeps = !task.block().runPolicy().retry().keep().isZero();
      timer.execute(() -> tailer.follow(task.id(), key(task), sandboxes.of(task), lines, keeps));
    }
  }

  /** Reports them no longer. */
  public void unfollow(Task task) {
    timer.execute(() -> tailer.unfollow(task.id()));
  }

  /** Sets the tasks that are visible to the user, which are polled more often. */
  public void watch(Set<TaskId> visible) {
    timer.execute(() -> tailer.watch(visible));
  }

  /** Returns the agent; on the embedded cluster, where none can fail to answer, the task itself. */
  private static String key(Task task) {
    String agentUrl = task.launch().location().agentUrl();
    return agentUrl.isEmpty() ? task.id().value() : agentUrl;
  }

  private Sandbox sandbox(Task task) {
    return task.launch().location().isNone() ? Sandbox.EMPTY : sandboxes.of(task);
  }

  /** Returns the path or address of a task's sandbox; empty if it was not launched. */
  public String location(Task task) {
    return sandbox(task).location();
  }

  /** Reads something in the sandbox of a task; fails with an {@link UncheckedIOException}. */
  public <T> CompletableFuture<T> read(Task task, SandboxJob<T> job) {
    return read(task, () -> sandbox(task), job);
  }

  /** Reads something of what a task has that has the result of an earlier one. */
  public <T> CompletableFuture<T> readReused(Task task, TaskResult result, SandboxJob<T> job) {
    return read(task, () -> keptFiles.sandbox(result), job);
  }

  private <T> CompletableFuture<T> read(Task task, Supplier<Sandbox> sandbox, SandboxJob<T> job) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return job.run(sandbox.get());
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        },
        work -> executor.execute(key(task), KeyedSerialExecutor.Priority.REQUEST, work));
  }

  /** Returns what the containers of an agent have used; none if it does not answer. */
  public CompletableFuture<Map<String, Usage>> usage(String agentUrl) {
    CompletableFuture<Map<String, Usage>> found = new CompletableFuture<>();
    executor.execute(
        agentUrl,
        KeyedSerialExecutor.Priority.TAIL,
        () -> {
          try {
            found.complete(sandboxes.usage(agentUrl));
          } catch (IOException | RuntimeException e) {
            log.debug("no usage: {}", e.getMessage());
            found.complete(Map.of());
          }
        });
    return found;
  }

  /** Returns the metrics of an agent, or the last known ones if it does not answer at once. */
  public CompletableFuture<AgentMetrics> metrics(String agentUrl) {
    CompletableFuture<AgentMetrics> fresh = new CompletableFuture<>();
    executor.execute(
        agentUrl,
        KeyedSerialExecutor.Priority.REQUEST,
        () -> {
          try {
            AgentMetrics metrics = sandboxes.metrics(agentUrl);
            lastMetrics.put(agentUrl, metrics);
            fresh.complete(metrics);
          } catch (IOException | RuntimeException e) {
            log.info("no metrics: {}", e.getMessage());
            fresh.complete(AgentMetrics.NONE);
          }
        });
    return fresh.completeOnTimeout(
        lastMetrics.getOrDefault(agentUrl, AgentMetrics.NONE),
        METRICS_MILLIS,
        TimeUnit.MILLISECONDS);
  }

  /**
   * Reads the output of a task that has ended. The future never fails.
   *
   * @param agentAlive whether to try again if the agent does not answer
   * @param reuse the files that belong to the result
   */
  public CompletableFuture<TaskResult> finalOutput(Task task, boolean agentAlive, Reuse reuse) {
    if (task.launch().location().isNone()) {
      return CompletableFuture.completedFuture(TaskResult.NONE);
    }
    Sandbox sandbox;
    try {
      sandbox = sandboxes.of(task);
    } catch (RuntimeException e) {
      return CompletableFuture.completedFuture(TaskResult.unreadable(e.getMessage()));
    }
    FinalOutputReader.Source source =
        new FinalOutputReader.Source(
            task.id(),
            sandbox,
            key(task),
            resultLimit,
            agentAlive ? FINAL_OUTPUT_PATIENCE : Duration.ZERO,
            reuse);
    return new FinalOutputReader(source, keptFiles, timer, executor).start();
  }

  /** Returns the result of a task from a report that has all of its output. */
  public TaskResult result(TaskReport report) {
    return Outputs.result(report, resultLimit);
  }

  /** Deletes the sandboxes of tasks. */
  public void delete(Collection<Task> tasks) {
    for (Task task : tasks) {
      if (!task.launch().location().isNone()) {
        executor.execute(key(task), KeyedSerialExecutor.Priority.TAIL, () -> delete(task));
      }
    }
  }

  private void delete(Task task) {
    try {
      sandboxes.delete(task);
    } catch (IOException e) {
      log.warn("the sandbox of {} cannot be deleted: {}", task.id(), e.toString());
    }
  }

  @Override
  public void close() {
    timer.shutdown();
    executor.close();
  }
}

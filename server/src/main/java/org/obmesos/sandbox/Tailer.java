// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.obmesos.task.TaskId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Polls the standard output of running tasks and reports their last lines when they have changed.
 * Agents are polled less often the longer a task writes nothing, and at a bounded rate; the tasks
 * that are visible to the user come first. Used on one thread.
 */
public final class Tailer {
  private static final Logger log = LoggerFactory.getLogger(Tailer.class);

  /** The interval at which {@link #poll} is called. */
  static final long INTERVAL_MILLIS = 150;

  /** The longest pause of a remote task that writes nothing, in intervals. */
  private static final long MAX_PAUSE = 16;

  /** The shortest pause of a remote task that is not visible, in intervals. */
  private static final long HIDDEN_PAUSE = 6;

  /** The number of tasks of one agent that are polled in an interval: 27 in a second. */
  static final int MAX_PER_AGENT = 4;

  /** The number of remote tasks that are polled in an interval: 107 in a second. */
  static final int MAX_REMOTE = 16;

  /** The file in which a failed task says its exit status, and until when it stays. */
  private static final String KEPT = ".ob-mesos-kept";

  private static final int MAX_KEPT = 100;

  /** Receives last lines. */
  public interface Listener {
    /** A task has written: its last lines, and the size of its whole output in bytes. */
    void output(TaskId id, String tail, long size);
  }

  private final Executor thread;
  private final KeyedSerialExecutor readers;
  private final Listener listener;
  private final Map<TaskId, Followed> followed = new HashMap<>();
  private Set<TaskId> visible = Set.of();
  private long now;

  private static final class Followed {
    private final TaskId id;
    private final String agent;
    private final Sandbox sandbox;
    private final int lines;
    private final boolean keeps;
    private boolean kept;
    private long size;
    private long pause = 1;
    private long due;
    private boolean reading;

    Followed(TaskId id, String agent, Sandbox sandbox, int lines, boolean keeps) {
      this.keeps = keeps;
      this.id = id;
      this.agent = agent;
      this.sandbox = sandbox;
      this.lines = lines;
    }
  }

  /**
   * Creates a tailer.
   *
   * @param thread runs on the thread that calls the methods of this class
   */
  Tailer(Executor thread, KeyedSerialExecutor readers, Listener listener) {
    this.thread = thread;
    this.readers = readers;
    this.listener = listener;
  }

  /**
   * Reports the last lines of a task on an agent from now on.
   *
   * @param keeps whether the task stays after it has failed; a further line then says so
   */
  void follow(TaskId id, String agent, Sandbox sandbox, int lines, boolean keeps) {
    followed.putIfAbsent(id, new Followed(id, agent, sandbox, lines, keeps));
  }

  /** Reports them no longer. */
  void unfollow(TaskId id) {
    followed.remove(id);
  }

  /** Sets the tasks that are visible to the user. */
  void watch(Set<TaskId> ids) {
    visible = Set.copyOf(ids);
    for (TaskId id : ids) {
      Followed task = followed.get(id);
      if (task != null) {
        task.due = now;
      }
    }
  }

  /** Polls the tasks that are due. */
  void poll() {
    now++;
    List<Followed> due =
        followed.values().stream()
            .filter(task -> !task.reading && task.due <= now)
            .sorted(
                Comparator.comparing((Followed task) -> !visible.contains(task.id))
                    .thenComparing(task -> task.due))
            .toList();
    Map<String, Integer> perAgent = new HashMap<>();
    int remote = 0;
    for (Followed task : due) {
      if (task.sandbox.isRemote()) {
        if (remote >= MAX_REMOTE || perAgent.merge(task.agent, 1, Integer::sum) > MAX_PER_AGENT) {
          continue;
        }
        remote++;
      }
      task.reading = true;
      readers.execute(task.agent, KeyedSerialExecutor.Priority.TAIL, () -> read(task));
    }
  }

  /** Runs on a thread that may wait. */
  private void read(Followed task) {
    try {
      long size = task.sandbox.size("stdout");
      String kept = task.keeps ? kept(task.sandbox) : "";
      Optional<String> tail =
          size == task.size && task.kept == !kept.isEmpty()
              ? Optional.empty()
              : Optional.of(
                  Outputs.tail(RotatedLog.current(task.sandbox, "stdout", size), task.lines)
                      + kept);
      task.kept = !kept.isEmpty();
      thread.execute(() -> finished(task, size, tail));
    } catch (IOException | RuntimeException e) {
      log.debug("the output of {} cannot be read now: {}", task.id, e.toString());
      thread.execute(() -> finished(task, task.size, Optional.empty()));
    }
  }

  /** Returns a line that says until when a failed task stays; empty if it has not failed. */
  private static String kept(Sandbox sandbox) throws IOException {
    String text = new String(sandbox.read(KEPT, 0, MAX_KEPT), StandardCharsets.US_ASCII);
    Matcher words = Pattern.compile("(\\d+) (\\d+)\n").matcher(text);
    return words.matches()
        ? "\n[exited with status %1$s; kept until %2$tF %2$tR]"
            .formatted(words.group(1), Long.parseLong(words.group(2)) * 1000)
        : "";
  }

  private void finished(Followed task, long size, Optional<String> tail) {
    if (tail.isPresent() && followed.get(task.id) == task) {
      listener.output(task.id, tail.get(), size);
    }
    task.pause = tail.isPresent() ? 1 : Math.min(MAX_PAUSE, task.pause * 2);
    task.size = size;
    task.reading = false;
    long pause = visible.contains(task.id) ? task.pause : Math.max(HIDDEN_PAUSE, task.pause);
    task.due = now + (task.sandbox.isRemote() ? pause : 1);
  }
}

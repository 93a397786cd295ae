// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import org.obmesos.task.TaskId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the standard output of tasks that run and tells of its last lines when there are new
 * ones. Agents are asked the less often the longer a task is silent, and never too much: those of a
 * thousand tasks take turns, and what somebody looks at goes first. Used on one thread.
 */
public final class Tailer {
  private static final Logger log = LoggerFactory.getLogger(Tailer.class);

  /** How often {@link #look} is to be called. */
  static final long INTERVAL_MILLIS = 150;

  /** How many intervals a remote task that writes nothing is left alone at most. */
  private static final long LONGEST_PAUSE = 16;

  /** How many a remote task that nobody looks at is left alone at least. */
  private static final long UNSEEN_PAUSE = 6;

  /** How many tasks of one agent are looked at in an interval, so at most 27 a second. */
  static final int MOST_OF_AN_AGENT = 4;

  /** How many of all agents together, so at most 107 a second. */
  static final int MOST_OF_ALL = 16;

  /** Gets the last lines. */
  public interface Listener {
    /** Called when a task has written: its last lines, and how many bytes there are in all. */
    void output(TaskId id, String tail, long size);
  }

  private final Executor thread;
  private final Lanes lanes;
  private final Listener listener;
  private final Map<TaskId, Followed> followed = new HashMap<>();
  private Set<TaskId> visible = Set.of();
  private long now;

  private static final class Followed {
    private final TaskId id;
    private final String agent;
    private final Sandbox sandbox;
    private final int lines;
    private long size;
    private long pause = 1;
    private long due;
    private boolean looking;

    Followed(TaskId id, String agent, Sandbox sandbox, int lines) {
      this.id = id;
      this.agent = agent;
      this.sandbox = sandbox;
      this.lines = lines;
    }
  }

  /**
   * Makes one.
   *
   * @param thread the one thread on which all that is public here is called
   */
  Tailer(Executor thread, Lanes lanes, Listener listener) {
    this.thread = thread;
    this.lanes = lanes;
    this.listener = listener;
  }

  /** Follows a task that runs on the agent and tells of its last lines. */
  void follow(TaskId id, String agent, Sandbox sandbox, int lines) {
    followed.putIfAbsent(id, new Followed(id, agent, sandbox, lines));
  }

  /** Follows it no longer. */
  void leave(TaskId id) {
    followed.remove(id);
  }

  /** Says which tasks somebody looks at. */
  void watch(Set<TaskId> seen) {
    visible = Set.copyOf(seen);
    seen.stream().map(followed::get).filter(task -> task != null).forEach(task -> task.due = now);
  }

  /** Looks at those tasks whose turn it is. */
  void look() {
    now++;
    List<Followed> due =
        followed.values().stream()
            .filter(task -> !task.looking && task.due <= now)
            .sorted(
                Comparator.comparing((Followed task) -> !visible.contains(task.id))
                    .thenComparing(task -> task.due))
            .toList();
    Map<String, Integer> asked = new HashMap<>();
    int all = 0;
    for (Followed task : due) {
      if (task.sandbox.isWrittenLate()) {
        if (all >= MOST_OF_ALL || asked.merge(task.agent, 1, Integer::sum) > MOST_OF_AN_AGENT) {
          continue;
        }
        all++;
      }
      task.looking = true;
      lanes.execute(task.agent, () -> look(task));
    }
  }

  /** Runs on a thread that may wait. */
  private void look(Followed task) {
    try {
      long size = task.sandbox.size("stdout");
      Optional<String> tail =
          size == task.size
              ? Optional.empty()
              : Optional.of(
                  Outputs.tail(WrittenLog.newest(task.sandbox, "stdout", size), task.lines));
      thread.execute(() -> looked(task, size, tail));
    } catch (IOException e) {
      log.debug("cannot read the output of {} now: {}", task.id, e.toString());
      thread.execute(() -> looked(task, task.size, Optional.empty()));
    }
  }

  private void looked(Followed task, long size, Optional<String> tail) {
    if (tail.isPresent() && followed.get(task.id) == task) {
      listener.output(task.id, tail.get(), size);
    }
    task.pause = tail.isPresent() ? 1 : Math.min(LONGEST_PAUSE, task.pause * 2);
    task.size = size;
    task.looking = false;
    long pause = visible.contains(task.id) ? task.pause : Math.max(UNSEEN_PAUSE, task.pause);
    task.due = now + (task.sandbox.isWrittenLate() ? pause : 1);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.obmesos.task.TaskId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the standard output of tasks that run and tells of its last lines when there are new
 * ones. All of it happens on the given thread.
 */
public final class Tailer {
  private static final Logger log = LoggerFactory.getLogger(Tailer.class);
  private static final long INTERVAL_MILLIS = 150;

  /** How many intervals to leave a remote task alone at most that writes nothing. */
  private static final long LONGEST_PAUSE = 16;

  /** Gets the last lines. */
  public interface Listener {
    /** Called when a task has written: its last lines, and how many bytes there are in all. */
    void output(TaskId id, String tail, long size);
  }

  private final Listener listener;
  private final Map<TaskId, Followed> followed = new HashMap<>();

  private static final class Followed {
    private final Sandbox sandbox;
    private final int lines;
    private long size;
    private long pause = 1;
    private long wait;

    Followed(Sandbox sandbox, int lines) {
      this.sandbox = sandbox;
      this.lines = lines;
    }
  }

  /**
   * Makes one and starts it.
   *
   * @param thread an executor with one thread
   */
  public Tailer(ScheduledExecutorService thread, Listener listener) {
    this.listener = listener;
    var unused =
        thread.scheduleWithFixedDelay(
            this::look, INTERVAL_MILLIS, INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Follows a task and tells of its last lines. To be called on the tailer's thread. */
  public void follow(TaskId id, Sandbox sandbox, int lines) {
    followed.putIfAbsent(id, new Followed(sandbox, lines));
  }

  /** Follows it no longer. To be called on the tailer's thread. */
  public void leave(TaskId id) {
    followed.remove(id);
  }

  private void look() {
    followed.forEach(
        (id, task) -> {
          if (--task.wait > 0) {
            return;
          }
          try {
            long size = task.sandbox.size("stdout");
            task.pause = size == task.size ? Math.min(LONGEST_PAUSE, task.pause * 2) : 1;
            task.wait = task.sandbox.isWrittenLate() ? task.pause : 1;
            if (size != task.size) {
              task.size = size;
              listener.output(id, Outputs.tail(task.sandbox, "stdout", task.lines), size);
            }
          } catch (IOException e) {
            log.debug("cannot read the output of {} now: {}", id, e.toString());
          }
        });
  }
}

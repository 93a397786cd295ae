// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.Collection;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;

/**
 * Receives changes of tasks and of the cluster. The methods are called on the framework's threads
 * and must return at once: they must not wait, read or write.
 */
public interface FrameworkListener {
  /** A task that has not ended has a new status, which is stored. */
  void status(Task task);

  /**
   * A task has ended; its result is stored.
   *
   * @param sandbox the path or address of its sandbox; empty if it was never launched
   */
  void ended(Task task, TaskResult result, String sandbox);

  /** Tasks were deleted with their results. */
  void deleted(Collection<TaskId> ids);

  /** A running task has written: its last lines, and the size of its whole output in bytes. */
  void output(TaskId id, String tail, long size);

  /** The connection to the cluster has changed; the message says why there is none. */
  void cluster(boolean connected, String message);

  /** The user should know this. */
  void warning(String message);

  /** The store cannot be written any more, so the server must end with this message. */
  void storeLost(String message);
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import org.obmesos.task.Task;
import org.obmesos.task.TaskId;

/** Hears what happens to tasks. Called on the framework's threads; must return at once. */
public interface FrameworkListener {
  /** A task has a new status, which is in the store. */
  void status(Task task);

  /** A running task has written: its last lines, and how many bytes there are in all. */
  void output(TaskId id, String tail, long size);

  /** The connection to the cluster changed: connected or not, and why. */
  void cluster(boolean connected, String message);

  /** The user ought to know this. */
  void warning(String message);
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

/** Which executor of Mesos runs a task. The embedded cluster runs all tasks alike. */
public enum ExecutorKind {
  /** A shared one if the task is small and needs nothing of its own, else its own. */
  AUTO,

  /** Mesos' command executor, in a container of its own. */
  OWN,

  /** The shared executor of its agent, whose container and memory limit it shares. */
  SHARED
}

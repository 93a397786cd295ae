// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;
import org.obmesos.task.Task;

/** Finds the sandbox of a task. */
public interface Sandboxes {
  /** The sandbox of the task's last launch; there is one. */
  Sandbox of(Task task);

  /**
   * How an agent's machine is.
   *
   * @param agentUrl where its HTTP API is; empty if it has none
   * @throws IOException if it does not tell, with a sentence for the user
   */
  AgentFigures figures(String agentUrl) throws IOException;

  /** Deletes a sandbox that is ours to delete; elsewhere its agent does, in its own time. */
  void delete(Task task) throws IOException;
}

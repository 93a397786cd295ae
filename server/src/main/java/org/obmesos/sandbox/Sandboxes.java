// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;
import java.util.Map;
import org.obmesos.task.Task;
import org.obmesos.task.Usage;

/** Finds the sandboxes of tasks. */
public interface Sandboxes {
  /** Returns the sandbox of the current launch of a task that was launched. Never waits. */
  Sandbox of(Task task);

  /**
   * Prepares a command beside a task that runs.
   *
   * @throws IOException if that is not possible, with a sentence for the user
   */
  Execution exec(Task task, ExecRequest request) throws IOException;

  /**
   * Returns the metrics of an agent's machine.
   *
   * @param agentUrl the address of its HTTP API; empty in the embedded cluster
   * @throws IOException if it does not answer, with a sentence for the user
   */
  AgentMetrics metrics(String agentUrl) throws IOException;

  /**
   * Returns what the containers of an agent have used so far, by the ids of their executors; none
   * if the agent does not say. The wall time is not known.
   */
  default Map<String, Usage> usage(String agentUrl) throws IOException {
    return Map.of();
  }

  /** Deletes a sandbox, in the embedded cluster; an agent collects its own garbage. */
  void delete(Task task) throws IOException;
}

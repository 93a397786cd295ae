// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.io.IOException;
import java.nio.file.Path;
import org.obmesos.sandbox.AgentMetrics;
import org.obmesos.sandbox.Sandbox;
import org.obmesos.sandbox.Sandboxes;
import org.obmesos.task.Task;
import org.obmesos.task.TaskLocation;

/** The sandboxes of the embedded cluster. */
public final class LocalSandboxes implements Sandboxes {
  private final Path workDirectory;

  /** Creates the sandboxes of the cluster with the given work directory. */
  public LocalSandboxes(Path workDirectory) {
    this.workDirectory = workDirectory;
  }

  @Override
  public Sandbox of(Task task) {
    TaskLocation location = task.launch().location();
    return of(location.frameworkId(), task.mesosTaskId());
  }

  /** Returns the sandbox of a launch. */
  public LocalSandbox of(String frameworkId, String mesosTaskId) {
    return new LocalSandbox(WorkDirectory.sandbox(workDirectory, frameworkId, mesosTaskId));
  }

  @Override
  public AgentMetrics metrics(String agentUrl) throws IOException {
    return MachineMetrics.read(workDirectory);
  }

  @Override
  public void delete(Task task) throws IOException {
    WorkDirectory.deleteSandboxes(
        workDirectory, task.launch().location().frameworkId(), task.mesosTaskId());
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;
import java.nio.file.Path;
import org.obmesos.local.LocalFiles;
import org.obmesos.task.Task;

/** The sandboxes of the embedded cluster. */
public final class LocalSandboxes implements Sandboxes {
  private final Path workDirectory;

  /** Those of the cluster that works in the given directory. */
  public LocalSandboxes(Path workDirectory) {
    this.workDirectory = workDirectory;
  }

  @Override
  public Sandbox of(Task task) {
    return new LocalSandbox(
        LocalFiles.sandbox(workDirectory, task.placing().site().frameworkId(), task.mesosTaskId()));
  }

  @Override
  public AgentFigures figures(String agentUrl) throws IOException {
    return LocalFigures.of(workDirectory);
  }

  @Override
  public void delete(Task task) throws IOException {
    LocalFiles.delete(workDirectory, task.placing().site().frameworkId(), task.mesosTaskId());
  }
}

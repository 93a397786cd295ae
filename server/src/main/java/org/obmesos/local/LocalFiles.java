// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.io.IOException;
import java.nio.file.Path;

/** Where the embedded cluster's tasks have their files, for who reads them. */
public final class LocalFiles {
  private LocalFiles() {}

  /** The sandbox of a task, under the cluster's work directory. */
  public static Path sandbox(Path workDirectory, String frameworkId, String taskId) {
    return WorkDirectory.sandbox(workDirectory, frameworkId, taskId);
  }

  /** Deletes all sandboxes of a task that has ended. */
  public static void delete(Path workDirectory, String frameworkId, String taskId)
      throws IOException {
    Path runs = WorkDirectory.sandbox(workDirectory, frameworkId, taskId).getParent();
    WorkDirectory.delete(runs.getParent());
  }
}

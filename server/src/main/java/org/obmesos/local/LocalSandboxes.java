// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import org.obmesos.sandbox.AgentMetrics;
import org.obmesos.sandbox.ExecRequest;
import org.obmesos.sandbox.Execution;
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

  @Override
  public Execution exec(Task task, ExecRequest request) throws IOException {
    Path sandbox =
        WorkDirectory.sandbox(
            workDirectory, task.launch().location().frameworkId(), task.mesosTaskId());
    String executor = task.launch().location().executorId();
    Path directory = executor.isEmpty() ? sandbox : WorkDirectory.session(workDirectory, executor);
    String mark = "MESOS_DIRECTORY=" + directory;
    List<String> environment =
        ProcessHandle.allProcesses()
            // Another user's process can have any environment.
            .filter(process -> process.info().user().equals(ProcessHandle.current().info().user()))
            .filter(process -> TaskEnvironment.of(process).contains(mark))
            // A shell beside the task is younger, and can have another environment.
            .min(Comparator.comparing(process -> process.info().startInstant().orElse(Instant.MAX)))
            .map(TaskEnvironment::of)
            .orElseThrow(() -> new IOException("the task has no process any more"));
    List<String> command = request.command();
    if (task.block().program().executionEnvironment().container().isPresent()) {
      command =
          ContainerRuntime.find()
              .orElseThrow(() -> new IOException("there is no podman and no docker here"))
              .exec(task.mesosTaskId(), command, request.terminal().isPresent());
    }
    return new Execution.LocalCommand(directory, command, environment);
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

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.apache.mesos.v1.Protos.Environment;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.obmesos.store.StateDirectory;

/**
 * Starts commands under a supervisor that outlives this process; supervisor and command each have a
 * process group of their own.
 */
final class Launcher {
  private static final double NANOS = 1e9;

  private final WorkDirectory work;
  private final Path script;
  private final Fetcher fetcher;

  Launcher(WorkDirectory work, Path root) throws IOException {
    this.work = work;
    this.fetcher = new Fetcher(work.cache());
    this.script = root.resolve("supervise.pl");
    try (InputStream source = Launcher.class.getResourceAsStream("supervise.pl")) {
      Path draft = root.resolve("supervise.pl.new");
      Files.copy(source, draft, StandardCopyOption.REPLACE_EXISTING);
      Files.move(draft, script, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  /**
   * Makes a task's sandbox and fetches what belongs into it.
   *
   * @throws IOException if that cannot be done, with a message for the user
   */
  void prepare(String frameworkId, TaskInfo task) throws IOException {
    String id = task.getTaskId().getValue();
    Path sandbox = work.sandbox(frameworkId, id);
    work.checkpoint(frameworkId, task);
    StateDirectory.createPrivate(sandbox);
    Files.createFile(sandbox.resolve("stdout"));
    Files.createFile(sandbox.resolve("stderr"));
    fetcher.fetch(task.getCommand().getUrisList(), sandbox);
  }

  /**
   * Starts a task whose sandbox is there; returns when its command has a process.
   *
   * @throws IOException if it cannot be started, with a message for the user
   */
  Process launch(String frameworkId, TaskInfo task) throws IOException {
    String id = task.getTaskId().getValue();
    Path sandbox = work.sandbox(frameworkId, id);
    ProcessBuilder builder = new ProcessBuilder(command(task, work.meta(id), sandbox));
    builder.directory(sandbox.toFile());
    builder.redirectError(work.meta(id).resolve("supervisor.log").toFile());
    environment(builder.environment(), task, sandbox);
    Process process = builder.start();
    process.getOutputStream().close();
    try (BufferedReader output =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      if (output.readLine() == null) {
        throw new IOException(
            "the supervisor did not start: "
                + Files.readString(work.meta(id).resolve("supervisor.log")).trim());
      }
    }
    return process;
  }

  private List<String> command(TaskInfo task, Path meta, Path sandbox) throws IOException {
    double grace = task.getKillPolicy().getGracePeriod().getNanoseconds() / NANOS;
    long timeout = (long) Math.ceil(task.getMaxCompletionTime().getNanoseconds() / NANOS);
    List<String> words = new ArrayList<>(List.of("perl", script.toString(), meta.toString()));
    words.add(sandbox.toString());
    words.add(Double.toString(task.hasKillPolicy() ? grace : 3));
    words.add(Long.toString(timeout));
    CommandInfo command = task.getCommand();
    if (task.hasContainer()) {
      Engine engine =
          Engine.find().orElseThrow(() -> new IOException("there is no podman and no docker here"));
      engine.cleanUpLater(task.getTaskId().getValue(), meta.resolve("cleanup"));
      words.addAll(engine.command(task, sandbox));
    } else if (command.getShell()) {
      words.addAll(List.of("/bin/sh", "-c", command.getValue()));
    } else {
      // Mesos gives the program's own name as the first argument.
      words.add(command.getValue());
      words.addAll(
          command
              .getArgumentsList()
              .subList(Math.min(1, command.getArgumentsCount()), command.getArgumentsCount()));
    }
    return words;
  }

  private static void environment(Map<String, String> variables, TaskInfo task, Path sandbox) {
    // What proves who we are to a master is nothing for a task.
    variables.keySet().removeAll(List.of("MESOS_SECRET", "DEFAULT_SECRET"));
    variables.put("MESOS_SANDBOX", task.hasContainer() ? Engine.SANDBOX : sandbox.toString());
    variables.put("MESOS_DIRECTORY", sandbox.toString());
    variables.put("MESOS_TASK_ID", task.getTaskId().getValue());
    for (Environment.Variable variable : task.getCommand().getEnvironment().getVariablesList()) {
      variables.put(
          variable.getName(),
          variable.hasSecret()
              ? variable.getSecret().getValue().getData().toStringUtf8()
              : variable.getValue());
    }
  }

  /** A command of the shell in the surroundings of a task. */
  ProcessBuilder beside(TaskInfo task, Path sandbox, String command) {
    ProcessBuilder builder =
        new ProcessBuilder(
            task.hasContainer()
                ? Engine.find()
                    .map(engine -> engine.inside(task.getTaskId().getValue(), command))
                    .orElse(List.of("false"))
                : List.of("/bin/sh", "-c", command));
    builder.directory(sandbox.toFile());
    environment(builder.environment(), task, sandbox);
    return builder;
  }

  /**
   * The supervisor of a task that was launched by an earlier server.
   *
   * @return empty if it has ended, or if it never began and now never will
   */
  Optional<ProcessHandle> find(String taskId) throws IOException {
    if (work.giveUp(taskId)) {
      return Optional.empty();
    }
    // The id can be another process' by now: the supervisor is known by its arguments.
    String meta = work.meta(taskId).toString();
    return work.supervisor(taskId)
        .flatMap(ProcessHandle::of)
        .filter(ProcessHandle::isAlive)
        .filter(handle -> handle.info().commandLine().orElse("").contains(meta));
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.obmesos.util.PrivateFiles;

/**
 * Starts commands under a supervisor that outlives this process. Supervisor and command each have
 * their own process group. The command, its arguments and its environment are written to the
 * supervisor's stdin, as UTF-8 in any locale, and never stand in its arguments, which all users of
 * the machine can read.
 */
final class Launcher {
  private static final double NANOS = 1e9;
  private static final double DEFAULT_GRACE_SECONDS = 3;

  private final WorkDirectory work;
  private final Path script;
  private final Fetcher fetcher;
  private final Set<String> passedVariables;

  Launcher(WorkDirectory work, LocalOptions options) throws IOException {
    this.work = work;
    this.fetcher = new Fetcher(work.cache());
    this.passedVariables = options.passedVariables();
    this.script = options.workDirectory().resolve("supervise.pl");
    try (InputStream source = Launcher.class.getResourceAsStream("supervise.pl")) {
      Path temporary = options.workDirectory().resolve("supervise.pl.new");
      Files.copy(source, temporary, StandardCopyOption.REPLACE_EXISTING);
      Files.move(temporary, script, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  /**
   * Creates the sandbox of a task and fetches its files.
   *
   * @throws IOException if that fails, with a message for the user
   */
  void prepare(String frameworkId, TaskInfo task) throws IOException {
    String id = task.getTaskId().getValue();
    Path sandbox = work.sandbox(frameworkId, id);
    work.checkpoint(frameworkId, task);
    PrivateFiles.createDirectories(sandbox);
    Files.createFile(sandbox.resolve("stdout"));
    Files.createFile(sandbox.resolve("stderr"));
    fetcher.fetch(task.getCommand().getUrisList(), sandbox);
  }

  /**
   * Starts a task whose sandbox is prepared; returns when its command has a process.
   *
   * @throws IOException if it cannot be started, with a message for the user
   */
  Process launch(String frameworkId, TaskInfo task) throws IOException {
    String id = task.getTaskId().getValue();
    Path sandbox = work.sandbox(frameworkId, id);
    Path meta = work.meta(id);
    ProcessBuilder builder =
        new ProcessBuilder("perl", script.toString(), meta.toString())
            .directory(sandbox.toFile())
            .redirectError(meta.resolve("supervisor.log").toFile());
    // Perl warns of a locale that does not exist.
    builder.environment().keySet().retainAll(Set.of("PATH"));
    Process process = builder.start();
    try (OutputStream input = process.getOutputStream()) {
      input.write(specification(task, meta, sandbox));
    } catch (IOException e) {
      throw notStarted(meta, e);
    }
    try (BufferedReader output =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      if (output.readLine() == null) {
        throw notStarted(meta, null);
      }
    }
    return process;
  }

  private static IOException notStarted(Path meta, IOException cause) throws IOException {
    return new IOException(
        "the supervisor did not start: "
            + Files.readString(meta.resolve("supervisor.log"), StandardCharsets.ISO_8859_1).trim(),
        cause);
  }

  /** Returns what the supervisor reads: fields that end with a NUL byte; see supervise.pl. */
  private byte[] specification(TaskInfo task, Path meta, Path sandbox) throws IOException {
    double grace =
        task.hasKillPolicy()
            ? task.getKillPolicy().getGracePeriod().getNanoseconds() / NANOS
            : DEFAULT_GRACE_SECONDS;
    long timeout = (long) Math.ceil(task.getMaxCompletionTime().getNanoseconds() / NANOS);
    Map<String, String> variables =
        TaskEnvironment.of(task, sandbox, System.getenv(), passedVariables);
    List<String> fields = new ArrayList<>();
    fields.add(sandbox.toString());
    fields.add(Double.toString(grace));
    fields.add(Long.toString(timeout));
    fields.add(Integer.toString(variables.size()));
    variables.forEach((name, value) -> fields.add(name + "=" + value));
    fields.addAll(command(task, meta, sandbox));
    return (String.join("\0", fields) + "\0").getBytes(StandardCharsets.UTF_8);
  }

  private static List<String> command(TaskInfo task, Path meta, Path sandbox) throws IOException {
    CommandInfo command = task.getCommand();
    if (task.hasContainer()) {
      ContainerRuntime runtime =
          ContainerRuntime.find()
              .orElseThrow(() -> new IOException("there is no podman and no docker here"));
      runtime.writeCleanup(task.getTaskId().getValue(), meta.resolve("cleanup"));
      return runtime.command(task, sandbox);
    }
    if (command.getShell()) {
      return List.of("/bin/sh", "-c", command.getValue());
    }
    // The first argument is the program's own name (mesos.proto, CommandInfo).
    List<String> words = new ArrayList<>(List.of(command.getValue()));
    int count = command.getArgumentsCount();
    words.addAll(command.getArgumentsList().subList(Math.min(1, count), count));
    return words;
  }

  /** Prepares a shell command in the environment of a task, for its health check. */
  ProcessBuilder beside(TaskInfo task, Path sandbox, String command) {
    ProcessBuilder builder =
        new ProcessBuilder(
            task.hasContainer()
                ? ContainerRuntime.find()
                    .map(runtime -> runtime.exec(task.getTaskId().getValue(), command))
                    .orElse(List.of("false"))
                : List.of("/bin/sh", "-c", command));
    builder.directory(sandbox.toFile());
    builder.environment().clear();
    builder
        .environment()
        .putAll(TaskEnvironment.of(task, sandbox, System.getenv(), passedVariables));
    return builder;
  }

  /**
   * Finds the supervisor of a task that an earlier server launched.
   *
   * @return empty if it has ended, or has not started and now never will
   */
  Optional<ProcessHandle> find(String taskId) throws IOException {
    if (work.abandonLaunch(taskId)) {
      return Optional.empty();
    }
    // The process id can have been reused: the supervisor is recognized by its arguments.
    String meta = work.meta(taskId).toString();
    return work.supervisor(taskId)
        .flatMap(ProcessHandle::of)
        .filter(ProcessHandle::isAlive)
        .filter(handle -> handle.info().commandLine().orElse("").contains(meta));
  }
}

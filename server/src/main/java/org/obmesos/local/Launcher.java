// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.obmesos.executor.TaskSpecification;
import org.obmesos.util.PrivateFiles;

/**
 * Prepares the sandboxes of tasks and hands their commands to the supervisor. Used on several
 * threads.
 */
final class Launcher {
  private static final double NANOS = 1e9;
  private static final double DEFAULT_GRACE_SECONDS = 3;

  private final WorkDirectory work;
  private final Fetcher fetcher;
  private final Map<String, String> environment;
  private final Supervisor.Listener listener;
  private volatile Optional<Supervisor> supervisor = Optional.empty();

  Launcher(WorkDirectory work, LocalOptions options, Supervisor.Listener listener)
      throws IOException {
    this.work = work;
    this.fetcher = new Fetcher(work.cache());
    this.environment = TaskEnvironment.ofAll(System.getenv(), options.passedVariables());
    this.listener = listener;
    Supervisor.install(work.root());
  }

  /** Connects to the supervisor of an earlier server; empty if there is none. */
  synchronized Optional<Supervisor> reconnect() throws IOException {
    if (supervisor.isEmpty()) {
      supervisor = Supervisor.find(work.root());
      if (supervisor.isPresent()) {
        begin(supervisor.get());
      }
    }
    return supervisor;
  }

  /**
   * Returns the supervisor, and starts it if it does not run.
   *
   * @throws IOException if it cannot be started, with a message for the user
   */
  synchronized Supervisor supervisor() throws IOException {
    if (supervisor.isEmpty()) {
      supervisor = Optional.of(Supervisor.start(work.root()));
      begin(supervisor.get());
    }
    return supervisor.get();
  }

  private void begin(Supervisor connected) throws IOException {
    connected.listen(listener);
    connected.setEnvironment(environment);
  }

  /** Kills a task that the supervisor runs, or that a server before version 0.2 has launched. */
  void kill(String taskId) throws IOException {
    Optional<ProcessHandle> earlier = work.earlierSupervisor(taskId);
    if (earlier.isPresent()) {
      earlier.get().destroy();
    } else {
      supervisor().kill(taskId);
    }
  }

  /** Returns whether a session has ended; does not wait for the start of a supervisor. */
  boolean hasEnded(String session) {
    return supervisor.map(it -> it.hasEnded(session)).orElse(true);
  }

  /** Uses a supervisor, which was killed, no longer. */
  synchronized void forget(Supervisor lost) {
    supervisor = supervisor.filter(current -> current != lost);
  }

  synchronized void close() {
    supervisor.ifPresent(Supervisor::close);
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
    if (task.hasExecutor()) {
      PrivateFiles.createDirectories(work.sessions());
    }
    Files.createFile(sandbox.resolve("stdout"));
    Files.createFile(sandbox.resolve("stderr"));
    fetcher.fetch(task.getCommand().getUrisList(), sandbox);
  }

  /** Returns the specification of a task whose sandbox is prepared, for the supervisor. */
  JsonObject specification(String frameworkId, TaskInfo task) throws IOException {
    String id = task.getTaskId().getValue();
    Path sandbox = work.sandbox(frameworkId, id);
    Path meta = work.meta(id);
    double grace =
        task.hasKillPolicy()
            ? task.getKillPolicy().getGracePeriod().getNanoseconds() / NANOS
            : DEFAULT_GRACE_SECONDS;
    JsonObject specification =
        !task.getData().isEmpty()
            ? fromData(task, sandbox)
            : new TaskSpecification(
                    command(task, meta, sandbox),
                    TaskEnvironment.of(task, sandbox, System.getenv()),
                    Optional.empty(),
                    "",
                    Duration.ofMillis((long) (grace * 1000)),
                    Duration.ofNanos(task.getMaxCompletionTime().getNanoseconds()),
                    Optional.empty())
                .toJson();
    specification.addProperty("sandbox", sandbox.toString());
    specification.addProperty("meta", meta.toString());
    return specification;
  }

  /** Returns the specification that is the data of a task; one with an executor has a session. */
  private JsonObject fromData(TaskInfo task, Path sandbox) {
    JsonObject specification =
        JsonParser.parseString(task.getData().toStringUtf8()).getAsJsonObject();
    JsonObject variables = specification.getAsJsonObject("environment");
    TaskEnvironment.of(task, sandbox, System.getenv()).forEach(variables::addProperty);
    if (task.hasExecutor()) {
      specification
          .getAsJsonObject("session")
          .addProperty("directory", work.session(task).orElseThrow().toString());
    }
    return specification;
  }

  /** Ends a session; an empty id is that of all sessions. */
  void endSession(String id) throws IOException {
    supervisor().endSession(id);
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
    builder.environment().putAll(environment);
    builder.environment().putAll(TaskEnvironment.of(task, sandbox, System.getenv()));
    return builder;
  }

  /** Kills what the commands of tasks have left behind whose supervisor was killed. */
  void killOrphans(Collection<String> taskIds) throws IOException {
    Set<String> sandboxes = new HashSet<>();
    for (String id : taskIds) {
      sandboxes.add("MESOS_DIRECTORY=" + work.processDirectoryOf(id));
      Path cleanup = work.meta(id).resolve("cleanup");
      if (Files.exists(cleanup)) {
        new ProcessBuilder("/bin/sh", cleanup.toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
      }
    }
    // A process can have started another one in the meantime.
    while (ProcessHandle.allProcesses()
            .filter(process -> isIn(process, sandboxes))
            .filter(ProcessHandle::destroyForcibly)
            .count()
        > 0) {
      Thread.onSpinWait();
    }
  }

  private static boolean isIn(ProcessHandle process, Set<String> sandboxes) {
    return TaskEnvironment.of(process).stream().anyMatch(sandboxes::contains);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.mesos.v1.Protos.Environment;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.obmesos.util.PrivateFiles;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of the embedded cluster. Sandboxes have the paths they have on a Mesos agent, {@code
 * frameworks/FRAMEWORK/executors/TASK/runs/latest}; the checkpoint of a task whose end is not
 * acknowledged is in {@code meta/TASK}.
 */
final class WorkDirectory {
  private static final Logger log = LoggerFactory.getLogger(WorkDirectory.class);

  private final Path root;

  WorkDirectory(Path root) throws IOException {
    this.root = root;
    PrivateFiles.createDirectories(root.resolve("meta"));
    PrivateFiles.createDirectories(root.resolve("frameworks"));
  }

  /** Returns the master's id, created once. */
  String masterId() throws IOException {
    Path file = root.resolve("master_id");
    if (!Files.exists(file) || Files.size(file) == 0) {
      Files.writeString(file, UUID.randomUUID().toString());
    }
    return Files.readString(file).trim();
  }

  /** Returns the number of frameworks that have sandboxes here. */
  int frameworkCount() throws IOException {
    Path frameworks = root.resolve("frameworks");
    if (!Files.isDirectory(frameworks)) {
      return 0;
    }
    try (var found = Files.list(frameworks)) {
      return (int) found.count();
    }
  }

  Path root() {
    return root;
  }

  Path sandbox(String frameworkId, String taskId) {
    return sandbox(root, frameworkId, taskId);
  }

  /** Returns the framework of a task with a checkpoint. */
  String frameworkOf(String taskId) throws IOException {
    return Files.readString(meta(taskId).resolve("framework"));
  }

  /** Returns the sandbox of a task with a checkpoint. */
  Path sandboxOf(String taskId) throws IOException {
    return sandbox(frameworkOf(taskId), taskId);
  }

  /** Returns the directory that the processes of a task with a checkpoint name as theirs. */
  Path processDirectoryOf(String taskId) throws IOException {
    TaskInfo task = TaskInfo.parseFrom(Files.readAllBytes(meta(taskId).resolve("task")));
    Optional<Path> session = session(task);
    return session.isPresent() ? session.get() : sandboxOf(taskId);
  }

  /** Returns the directory of the session of a task; empty if it has none. */
  Optional<Path> session(TaskInfo task) {
    return task.hasExecutor()
        ? Optional.of(session(root, task.getExecutor().getExecutorId().getValue()))
        : Optional.empty();
  }

  static Path session(Path root, String executorId) {
    return root.resolve("sessions").resolve(executorId);
  }

  /** Returns the directory of the directories of sessions. */
  Path sessions() {
    return root.resolve("sessions");
  }

  /** Returns the ids of the sessions whose directories were not deleted yet. */
  List<String> sessionIds() throws IOException {
    List<String> found = new ArrayList<>();
    if (Files.isDirectory(sessions())) {
      try (DirectoryStream<Path> kept = Files.newDirectoryStream(sessions())) {
        kept.forEach(session -> found.add(String.valueOf(session.getFileName())));
      }
    }
    return found;
  }

  /** Deletes the sandboxes of a task. */
  static void deleteSandboxes(Path root, String frameworkId, String taskId) throws IOException {
    PrivateFiles.deleteRecursively(
        root.resolve("frameworks").resolve(frameworkId).resolve("executors").resolve(taskId));
  }

  static Path sandbox(Path root, String frameworkId, String taskId) {
    return root.resolve("frameworks")
        .resolve(frameworkId)
        .resolve("executors")
        .resolve(taskId)
        .resolve("runs")
        .resolve("latest");
  }

  /** Returns the directory of the fetcher's cache. */
  Path cache() {
    return root.resolve("fetched");
  }

  Path meta(String taskId) {
    return root.resolve("meta").resolve(taskId);
  }

  /** Writes the checkpoint of a task that is about to be launched. */
  void checkpoint(String frameworkId, TaskInfo task) throws IOException {
    Path meta = meta(task.getTaskId().getValue());
    PrivateFiles.createDirectories(meta);
    Files.writeString(meta.resolve("framework"), frameworkId);
    Path temporary = meta.resolve("task.new");
    Files.write(temporary, withoutSecrets(task).toByteArray());
    Files.move(temporary, meta.resolve("task"));
  }

  private static TaskInfo withoutSecrets(TaskInfo task) {
    TaskInfo.Builder open = task.toBuilder();
    open.getCommandBuilder()
        .getEnvironmentBuilder()
        .getVariablesBuilderList()
        .forEach(Environment.Variable.Builder::clearSecret);
    return open.build();
  }

  /**
   * Returns a checkpoint; empty if it is not complete. After a loss of power files can be empty.
   */
  private static Optional<Checkpoint> checkpoint(Path meta) throws IOException {
    try {
      if (!Files.exists(meta.resolve("task"))) {
        return Optional.empty();
      }
      String framework = Files.readString(meta.resolve("framework"));
      TaskInfo task = TaskInfo.parseFrom(Files.readAllBytes(meta.resolve("task")));
      return framework.isEmpty() ? Optional.empty() : Optional.of(new Checkpoint(framework, task));
    } catch (InvalidProtocolBufferException | NoSuchFileException e) {
      log.warn("the checkpoint {} is not complete; the outcome of the task is unknown", meta, e);
      return Optional.empty();
    }
  }

  /** A checkpoint. */
  record Checkpoint(String frameworkId, TaskInfo task) {}

  /** Returns the checkpoints; deletes what is no checkpoint. */
  List<Checkpoint> checkpoints() throws IOException {
    List<Checkpoint> found = new ArrayList<>();
    try (DirectoryStream<Path> metas = Files.newDirectoryStream(root.resolve("meta"))) {
      for (Path meta : metas) {
        Optional<Checkpoint> checkpoint = checkpoint(meta);
        if (checkpoint.isPresent()) {
          found.add(checkpoint.get());
        } else {
          PrivateFiles.deleteRecursively(meta);
        }
      }
    }
    return found;
  }

  /** Returns the text of the supervisor's exit file; empty if there is none. */
  Optional<String> exit(String taskId) throws IOException {
    return read(meta(taskId).resolve("exit"));
  }

  /** Returns when the supervisor wrote the exit file of a task; now if there is none. */
  Instant exitTime(String taskId) throws IOException {
    try {
      return Files.getLastModifiedTime(meta(taskId).resolve("exit")).toInstant();
    } catch (NoSuchFileException e) {
      return Instant.now();
    }
  }

  /** Returns whether the command of a task was, or was about to be, started. */
  boolean hasStarted(String taskId) {
    return Files.exists(meta(taskId).resolve("started"));
  }

  /** Returns the supervisor of a task that a server before version 0.2 has launched. */
  Optional<ProcessHandle> earlierSupervisor(String taskId) throws IOException {
    // The process id can have been reused: the supervisor is recognized by its arguments.
    String meta = meta(taskId).toString();
    return read(meta(taskId).resolve("pid"))
        .map(words -> Long.parseLong(words.split(" ", 2)[0]))
        .flatMap(ProcessHandle::of)
        .filter(ProcessHandle::isAlive)
        .filter(handle -> handle.info().commandLine().orElse("").contains(meta));
  }

  private static Optional<String> read(Path file) throws IOException {
    try {
      return Optional.of(Files.readString(file, StandardCharsets.UTF_8).trim())
          .filter(text -> !text.isEmpty());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  void forget(String taskId) throws IOException {
    PrivateFiles.deleteRecursively(meta(taskId));
  }

  /**
   * Deletes the sandboxes of tasks without a checkpoint, the directories of sessions that have
   * ended, and the cached files, that were not used since a time. What cannot be deleted stays,
   * such as files of another user that a container has left.
   */
  void collectGarbage(Instant before, Predicate<String> sessionHasEnded) throws IOException {
    for (Path file : entries(cache())) {
      collect(file, file, before);
    }
    for (Path session : entries(sessions())) {
      // The supervisor touches it with each task.
      if (sessionHasEnded.test(String.valueOf(session.getFileName()))) {
        collect(session, session, before);
      }
    }
    for (Path framework : entries(root.resolve("frameworks"))) {
      for (Path executor : entries(framework.resolve("executors"))) {
        Path stdout = executor.resolve("runs").resolve("latest").resolve("stdout");
        if (!Files.exists(meta(String.valueOf(executor.getFileName())))) {
          collect(executor, Files.exists(stdout) ? stdout : executor, before);
        }
      }
    }
  }

  private static List<Path> entries(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** Deletes a file or directory if another one, its clock, has not changed since a time. */
  private static void collect(Path path, Path clock, Instant before) {
    try {
      if (Files.getLastModifiedTime(clock).toInstant().isBefore(before)) {
        PrivateFiles.deleteRecursively(path);
      }
    } catch (IOException e) {
      log.warn("{} cannot be deleted: {}", path, e.toString());
    }
  }
}

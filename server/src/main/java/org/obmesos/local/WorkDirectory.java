// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.apache.mesos.v1.Protos.Environment;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.obmesos.store.StateDirectory;

/**
 * Where the embedded cluster keeps its files. Sandboxes lie as they do under a Mesos agent, {@code
 * frameworks/FRAMEWORK/executors/TASK/runs/latest}; what must be remembered of a task until its end
 * is acknowledged lies in {@code meta/TASK}.
 */
final class WorkDirectory {
  private final Path root;

  WorkDirectory(Path root) throws IOException {
    this.root = root;
    StateDirectory.createPrivate(root.resolve("meta"));
    StateDirectory.createPrivate(root.resolve("frameworks"));
  }

  /** The cluster's own id, made once. */
  String masterId() throws IOException {
    Path file = root.resolve("master_id");
    if (!Files.exists(file)) {
      Files.writeString(file, UUID.randomUUID().toString());
    }
    return Files.readString(file).trim();
  }

  /** How many frameworks have had sandboxes here. */
  int frameworkCount() throws IOException {
    Path frameworks = root.resolve("frameworks");
    if (!Files.isDirectory(frameworks)) {
      return 0;
    }
    try (var found = Files.list(frameworks)) {
      return (int) found.count();
    }
  }

  Path sandbox(String frameworkId, String taskId) {
    return sandbox(root, frameworkId, taskId);
  }

  /** The sandbox of a task with a checkpoint. */
  Path sandboxOf(String taskId) throws IOException {
    return sandbox(Files.readString(meta(taskId).resolve("framework")), taskId);
  }

  static Path sandbox(Path root, String frameworkId, String taskId) {
    return root.resolve("frameworks")
        .resolve(frameworkId)
        .resolve("executors")
        .resolve(taskId)
        .resolve("runs")
        .resolve("latest");
  }

  /** Where fetched files are kept for the next task. */
  Path cache() {
    return root.resolve("fetched");
  }

  Path meta(String taskId) {
    return root.resolve("meta").resolve(taskId);
  }

  /** Writes down that the task is about to be launched. */
  void checkpoint(String frameworkId, TaskInfo task) throws IOException {
    Path meta = meta(task.getTaskId().getValue());
    StateDirectory.createPrivate(meta);
    Files.writeString(meta.resolve("framework"), frameworkId);
    Path draft = meta.resolve("task.new");
    Files.write(draft, withoutSecrets(task).toByteArray());
    Files.move(draft, meta.resolve("task"));
  }

  private static TaskInfo withoutSecrets(TaskInfo task) {
    TaskInfo.Builder open = task.toBuilder();
    open.getCommandBuilder()
        .getEnvironmentBuilder()
        .getVariablesBuilderList()
        .forEach(Environment.Variable.Builder::clearSecret);
    return open.build();
  }

  /** What {@link #checkpoint} wrote. */
  record Checkpoint(String frameworkId, TaskInfo task) {}

  List<Checkpoint> checkpoints() throws IOException {
    List<Checkpoint> found = new ArrayList<>();
    try (DirectoryStream<Path> metas = Files.newDirectoryStream(root.resolve("meta"))) {
      for (Path meta : metas) {
        if (Files.exists(meta.resolve("task"))) {
          found.add(
              new Checkpoint(
                  Files.readString(meta.resolve("framework")),
                  TaskInfo.parseFrom(Files.readAllBytes(meta.resolve("task")))));
        } else {
          delete(meta);
        }
      }
    }
    return found;
  }

  /** The words of the supervisor's exit file, once it is there. */
  Optional<String> exit(String taskId) throws IOException {
    return read(meta(taskId).resolve("exit"));
  }

  /** The supervisor's process id, once it has one. */
  Optional<Long> supervisor(String taskId) throws IOException {
    return read(meta(taskId).resolve("pid")).map(words -> Long.parseLong(words.split(" ", 2)[0]));
  }

  /**
   * Gives a launch up of which no process is known.
   *
   * @return false if its supervisor was faster and is now known
   */
  boolean giveUp(String taskId) throws IOException {
    try {
      Files.writeString(meta(taskId).resolve("pid"), "", StandardOpenOption.CREATE_NEW);
      return true;
    } catch (FileAlreadyExistsException e) {
      return false;
    }
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
    delete(meta(taskId));
  }

  /**
   * Deletes the sandboxes of tasks without a checkpoint that nothing was written to since, and
   * fetched files that no task has wanted since.
   */
  void collectGarbage(Instant before) throws IOException {
    if (Files.isDirectory(cache())) {
      try (DirectoryStream<Path> kept = Files.newDirectoryStream(cache())) {
        for (Path file : kept) {
          if (Files.getLastModifiedTime(file).toInstant().isBefore(before)) {
            Files.delete(file);
          }
        }
      }
    }
    try (DirectoryStream<Path> frameworks = Files.newDirectoryStream(root.resolve("frameworks"))) {
      for (Path framework : frameworks) {
        try (DirectoryStream<Path> executors =
            Files.newDirectoryStream(framework.resolve("executors"))) {
          for (Path executor : executors) {
            collect(executor, before);
          }
        }
      }
    }
  }

  private void collect(Path executor, Instant before) throws IOException {
    String taskId = String.valueOf(executor.getFileName());
    Path stdout = executor.resolve("runs").resolve("latest").resolve("stdout");
    Path clock = Files.exists(stdout) ? stdout : executor;
    if (!Files.exists(meta(taskId))
        && Files.getLastModifiedTime(clock).toInstant().isBefore(before)) {
      delete(executor);
    }
  }

  static void delete(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path path, IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            Files.delete(path);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}

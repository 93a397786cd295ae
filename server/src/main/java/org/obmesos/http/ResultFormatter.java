// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.obmesos.task.Exit;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.obmesos.task.TaskState;

/**
 * Formats the result of a block for its document: its output, its failure, or its current state,
 * with the texts that Emacs inserts.
 */
final class ResultFormatter {
  /** The results of a document have so many characters at most, and those of one more task. */
  private static final int MAX_CHARS = 8 << 20;

  private final Map<TaskId, Task> tasks;
  private final Function<TaskId, Optional<TaskResult>> results;
  private final Map<TaskId, String> tails;
  private int chars;

  /**
   * Creates a formatter for one document.
   *
   * @param tasks the known tasks, by id
   * @param results returns the result of an ended task
   * @param tails the last lines of running tasks
   */
  ResultFormatter(
      Map<TaskId, Task> tasks,
      Function<TaskId, Optional<TaskResult>> results,
      Map<TaskId, String> tails) {
    this.tasks = tasks;
    this.results = results;
    this.tails = tails;
  }

  /** Returns the result of a block; empty if its tasks are not known. */
  Optional<String> format(SubmittedDocument.SubmittedBlock block) {
    List<Task> members = block.ids().stream().filter(tasks::containsKey).map(tasks::get).toList();
    if (members.isEmpty()) {
      return Optional.empty();
    }
    if (!members.stream().allMatch(task -> task.state().isTerminal())) {
      return Optional.of(waiting(block, members));
    }
    return Optional.of(
        block.isGroup()
            ? members.stream()
                .map(task -> "==> %s <==\n%s".formatted(index(task), ended(task)))
                .map(text -> text.endsWith("\n") ? text : text + "\n")
                .collect(Collectors.joining())
            : ended(members.get(0)));
  }

  private static String index(Task task) {
    String id = task.id().value();
    return id.substring(id.lastIndexOf('.') + 1);
  }

  private String waiting(SubmittedDocument.SubmittedBlock block, List<Task> members) {
    if (!block.isGroup()) {
      Task task = members.get(0);
      return placeholder(
          task.id().value(),
          task.state().name(),
          task.status().message(),
          tails.getOrDefault(task.id(), ""));
    }
    long done = members.stream().filter(task -> task.state().isTerminal()).count();
    boolean queued = members.stream().allMatch(task -> task.state() == TaskState.QUEUED);
    return placeholder(
        block.group(),
        queued ? "QUEUED" : "RUNNING",
        "%d of %d done".formatted(done, members.size()),
        "");
  }

  private static String placeholder(String id, String state, String message, String tail) {
    String head = "mesos:%s %s %s".formatted(id, state, message).strip();
    return tail.isBlank()
        ? head
        : head + "\n" + tail.lines().map(line -> "| " + line).collect(Collectors.joining("\n"));
  }

  private String ended(Task task) {
    if (chars > MAX_CHARS) {
      return "[left out, see /tasks/%s]\n".formatted(task.id());
    }
    String text = report(task);
    chars += text.length();
    return text;
  }

  private String report(Task task) {
    Optional<TaskResult> result = results.apply(task.id());
    String out = result.map(ResultFormatter::stdout).orElse("");
    if (task.state() == TaskState.FINISHED) {
      return out;
    }
    Exit exit = Exit.parse(task.status().message());
    StringBuilder report =
        new StringBuilder("mesos: %s %s".formatted(task.id(), task.state().name()));
    if (!task.status().message().isEmpty()) {
      report.append(": ").append(task.status().message());
    }
    if (!task.status().reason().isEmpty()) {
      report.append(" (").append(task.status().reason()).append(')');
    }
    exit.status().ifPresent(status -> report.append("\nexit status: ").append(status));
    exit.signal().ifPresent(signal -> report.append("\nsignal: ").append(signal));
    String err = result.map(TaskResult::stderrTail).map(ResultFormatter::clean).orElse("");
    if (!err.isEmpty()) {
      report.append("\nstderr:\n").append(err);
    }
    if (!out.isEmpty()) {
      report.append(report.charAt(report.length() - 1) == '\n' ? "" : "\n");
      report.append("stdout:\n").append(out);
    }
    return report.toString();
  }

  private static String stdout(TaskResult result) {
    String text = clean(result.stdout());
    return result.truncated()
        ? "%s%s[cut: %d bytes in all]"
            .formatted(text, text.endsWith("\n") ? "" : "\n", result.stdoutBytes())
        : text;
  }

  /**
   * Removes terminal control sequences, and keeps the last state of lines with carriage returns.
   */
  private static String clean(String text) {
    return text.replaceAll("\u001b(?:\\[[0-9;:?]*[ -/]*[@-~]|[()][0-9A-Za-z]|[=>78cDEHM])", "")
        .replaceAll("(?<!\r)\r++(?=\n|$)", "")
        .replaceAll("(?m)^[^\n]*\r(?=[^\r\n])", "");
  }
}

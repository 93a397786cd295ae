// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.obmesos.task.Exit;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.obmesos.task.TaskState;

/**
 * What stands in a document for a block: its output, how it has failed, or how it is. The texts are
 * those that Emacs inserts.
 *
 * @param tasks those there are, by their ids
 * @param results those of tasks that have ended
 * @param tails the last lines of those that run
 */
record Shown(Map<TaskId, Task> tasks, Map<TaskId, TaskResult> results, Map<TaskId, String> tails) {

  /** The result of a block; empty if nothing is known of it. */
  Optional<String> of(Posting.Part part) {
    List<Task> members = part.ids().stream().filter(tasks::containsKey).map(tasks::get).toList();
    if (members.isEmpty()) {
      return Optional.empty();
    }
    if (!members.stream().allMatch(task -> task.state().isTerminal())) {
      return Optional.of(waiting(part, members));
    }
    return Optional.of(
        part.isGroup()
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

  private String waiting(Posting.Part part, List<Task> members) {
    if (!part.isGroup()) {
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
        part.group(),
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
    Optional<TaskResult> result = Optional.ofNullable(results.get(task.id()));
    String out = result.map(Shown::stdout).orElse("");
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
    String err = result.map(TaskResult::stderrTail).map(Shown::clean).orElse("");
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

  /** Without colours and moves of a terminal, and of a progress bar only how it ends. */
  private static String clean(String text) {
    return text.replaceAll("\u001b(?:\\[[0-9;:?]*[ -/]*[@-~]|[()][0-9A-Za-z]|[=>78cDEHM])", "")
        .replaceAll("\r+(?=\n|$)", "")
        .replaceAll("(?m)^[^\n]*\r(?=[^\r\n])", "");
  }
}

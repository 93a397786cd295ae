// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.obmesos.sandbox.SandboxReader;
import org.obmesos.task.Task;
import org.obmesos.task.TaskState;
import org.obmesos.task.Usage;

/**
 * Reads the resource usage of running tasks with a command executor from the agents' container
 * statistics, because the command executor does not report it. Used on the scheduler thread.
 */
final class ContainerUsage {
  private final SchedulerExecutor executor;
  private final TaskRegistry registry;
  private final SandboxReader reader;

  /** The agents that have not answered yet. */
  private final Set<String> asked = new HashSet<>();

  ContainerUsage(SchedulerExecutor executor, TaskRegistry registry, SandboxReader reader) {
    this.executor = executor;
    this.registry = registry;
    this.reader = reader;
  }

  /** Asks the agents that run such tasks, each once. */
  void sample() {
    Map<String, List<Task>> tasks =
        registry.launched().stream()
            .filter(task -> task.state() == TaskState.RUNNING)
            .filter(task -> task.launch().location().executorId().isEmpty())
            .filter(task -> !task.launch().location().agentUrl().isEmpty())
            .collect(Collectors.groupingBy(task -> task.launch().location().agentUrl()));
    tasks.forEach(
        (url, theirs) -> {
          if (asked.add(url)) {
            var unused =
                reader
                    .usage(url)
                    .thenAccept(found -> executor.execute(() -> answered(url, theirs, found)));
          }
        });
  }

  private void answered(String url, List<Task> tasks, Map<String, Usage> found) {
    asked.remove(url);
    for (Task task : tasks) {
      Optional.ofNullable(found.get(task.mesosTaskId()))
          .ifPresent(usage -> registry.setUsage(task, usage));
    }
  }
}

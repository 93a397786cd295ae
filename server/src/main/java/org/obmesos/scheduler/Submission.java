// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.obmesos.task.Block;
import org.obmesos.task.InvalidBlockException;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskState;

/**
 * Adds the tasks of blocks, all or none. A block with the id of a known task is ignored, unless the
 * task waits for its body or its secrets.
 */
final class Submission extends Request {
  private static final long MAX_BODY_CHARS = 32 << 20;

  private final List<Block> blocks;
  private final Map<TaskId, Map<String, String>> secretValues;
  private final TaskRegistry registry;
  private final Secrets secrets;
  private final LaunchQueue launchQueue;
  private final List<TaskId> changed = new ArrayList<>();

  /**
   * Creates a submission.
   *
   * @param secretValues the values of the secret variables of the blocks, by task id
   */
  Submission(
      List<Block> blocks,
      Map<TaskId, Map<String, String>> secretValues,
      TaskRegistry registry,
      Secrets secrets,
      LaunchQueue launchQueue) {
    this.blocks = blocks;
    this.secretValues = secretValues;
    this.registry = registry;
    this.secrets = secrets;
    this.launchQueue = launchQueue;
  }

  /** The bodies of tasks that have not ended are in memory, so their size is limited. */
  private void checkSize(Draft draft) {
    long chars = registry.bodyChars();
    for (Block block : blocks) {
      chars += draft.contains(block.id()) ? 0 : block.program().body().length();
    }
    if (chars > MAX_BODY_CHARS) {
      throw new InvalidBlockException(
          "body",
          "the tasks that have not ended can have programs of %d MiB together, with the data in them; submit fewer at once"
              .formatted(MAX_BODY_CHARS >> 20));
    }
  }

  @Override
  public void prepare(Draft draft) {
    checkSize(draft);
    DependencyTracker.checkOrder(blocks, draft);
    for (Block block : blocks) {
      Optional<Task> known = draft.live(block.id());
      if (!draft.contains(block.id())) {
        draft.insert(Task.submitted(draft.nextSequence(), block, Instant.now()));
        changed.add(block.id());
      } else if (known.filter(Submission::awaitsBody).isPresent()
          && !block.program().awaitsBody()) {
        draft.updateProgram(
            known.get().with(known.get().block().with(block.program()).with(block.reuse())));
        changed.add(block.id());
      }
    }
  }

  private static boolean awaitsBody(Task task) {
    return task.state() == TaskState.QUEUED && task.block().program().awaitsBody();
  }

  @Override
  public void committed() {
    for (Block block : blocks) {
      Map<String, String> values = secretValues.getOrDefault(block.id(), Map.of());
      boolean isLive = registry.live(block.id()).isPresent();
      if (isLive && secrets.put(block.id(), values) && !changed.contains(block.id())) {
        changed.add(block.id());
      }
    }
    launchQueue.admit(
        changed.stream()
            .flatMap(id -> registry.live(id).stream())
            .filter(task -> task.state() == TaskState.QUEUED)
            .toList());
    super.committed();
  }
}

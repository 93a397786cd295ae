// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.obmesos.sandbox.KeptFiles;
import org.obmesos.sandbox.UriDigests;
import org.obmesos.scheduler.TaskRegistry.BlockName;
import org.obmesos.store.EndedTask;
import org.obmesos.store.Store;
import org.obmesos.task.ResultKey;
import org.obmesos.task.Reuse;
import org.obmesos.task.ReusedResult;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.Uri;

/**
 * Computes the {@link ResultKey} of a task before its first launch, and looks for an earlier task
 * with the same key. Used on the scheduler thread.
 */
final class ResultReuse {
  /** How many tasks of a document are compared to explain why there is no result. */
  private static final int MAX_COMPARED = 200;

  /** How messages write when a result was made. */
  static final DateTimeFormatter LOCAL_TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

  private final SchedulerExecutor executor;
  private final TransactionQueue transactions;
  private final TaskRegistry registry;
  private final Store store;
  private final KeptFiles keptFiles;

  /** The earlier runs of blocks that are being read. */
  private final Map<BlockName, CompletableFuture<List<Task>>> earlierRuns = new HashMap<>();

  /** The tasks that wait for a decision, or were decided and are not launched yet. */
  private final Map<TaskId, Decision> decisions = new HashMap<>();

  /**
   * What was decided on a task.
   *
   * @param key what it computes; empty if that is not known
   * @param launch whether it is to be launched; false while that is not decided
   */
  private record Decision(Optional<ResultKey> key, boolean launch) {}

  ResultReuse(LaunchQueue.Collaborators with, Store store, KeptFiles keptFiles) {
    this.keptFiles = keptFiles;
    this.executor = with.executor();
    this.transactions = with.transactions();
    this.registry = with.registry();
    this.store = store;
  }

  /**
   * Returns whether a task, whose dependencies are met, is to be launched.
   *
   * @param again is called if that is to be asked again later; it is not if the task ends instead
   */
  boolean mayLaunch(Task task, Runnable again) {
    if (task.block().reuse().mode() == Reuse.Mode.NEVER
        || task.block().session().isPresent()
        || task.launch().attempt() > 0) {
      return true;
    }
    Decision decision = decisions.get(task.id());
    if (decision != null) {
      return decision.launch();
    }
    Optional<List<String>> blocks = keysOfBlocks(task);
    List<Uri> uris = task.block().program().executionEnvironment().uris();
    if (blocks.isEmpty()) {
      return decide(task, Optional.empty(), again);
    }
    if (!UriDigests.areAnyHere(uris)) {
      return decide(task, Optional.of(ResultKey.of(task.block(), Map.of(), blocks.get())), again);
    }
    decisions.put(task.id(), new Decision(Optional.empty(), false));
    var unused =
        CompletableFuture.supplyAsync(() -> UriDigests.of(uris))
            .thenAccept(
                digests ->
                    executor.execute(
                        () -> {
                          ResultKey key = ResultKey.of(task.block(), digests, blocks.get());
                          if (isQueued(task) && decide(task, Optional.of(key), again)) {
                            again.run();
                          }
                        }));
    return false;
  }

  private boolean isQueued(Task task) {
    return registry.live(task.id()).filter(now -> now.launch().attempt() == 0).isPresent();
  }

  /** Decides on a task whose key is known, or cannot be. */
  private boolean decide(Task task, Optional<ResultKey> key, Runnable again) {
    Reuse.Mode mode = task.block().reuse().mode();
    Optional<EndedTask> earlier =
        task.block().reuse().wantsResult()
            ? key.flatMap(known -> registry.finishedWith(known, task.block().origin()))
            : Optional.empty();
    boolean launch = earlier.isEmpty() && mode != Reuse.Mode.ONLY;
    decisions.put(task.id(), new Decision(key, launch));
    if (earlier.isPresent()) {
      read(task, key.orElseThrow(), earlier.get(), again);
    } else if (!launch) {
      explain(task, key);
    }
    return launch;
  }

  private void read(Task task, ResultKey key, EndedTask earlier, Runnable again) {
    ReusedResult itself = new ReusedResult(earlier.id(), earlier.ended().toEpochMilli());
    CompletableFuture<ReusedResult> origin =
        store
            .tasks(List.of(earlier.id()))
            .thenApply(
                tasks ->
                    tasks.stream()
                        .flatMap(found -> found.launch().reused().stream())
                        .findFirst()
                        .orElse(itself));
    var unused =
        store
            .result(earlier.id())
            .thenApplyAsync(found -> found.filter(keptFiles::areIntact))
            .exceptionally(failure -> Optional.empty())
            .thenAcceptBoth(
                origin.exceptionally(failure -> itself),
                (result, reused) ->
                    executor.execute(
                        () -> {
                          if (result.isPresent()) {
                            submit(task.id(), new TaskEvent.Reuse(key, reused, result.get()));
                          } else if (task.block().reuse().mode() == Reuse.Mode.ONLY) {
                            stale(task.id(), "the result of the last run is not complete");
                          } else {
                            decisions.put(task.id(), new Decision(Optional.of(key), true));
                            again.run();
                          }
                        }));
  }

  private void stale(TaskId id, String why) {
    submit(id, new TaskEvent.Stale(why));
  }

  private void submit(TaskId id, TaskEvent event) {
    transactions.submit(
        new TransactionQueue.Operation() {
          @Override
          public void prepare(Draft draft) {
            draft.apply(id, event);
          }

          @Override
          public void failed(RuntimeException cause) {
            var unused = executor.schedule(LaunchQueue.RETRY, () -> submit(id, event));
          }
        });
  }

  /** Returns what a task that is about to be launched computes. */
  Optional<ResultKey> key(TaskId id) {
    return Optional.ofNullable(decisions.get(id)).flatMap(Decision::key);
  }

  /** A task was launched or has ended. */
  void forget(TaskId id) {
    decisions.remove(id);
  }

  // What comes before a task.

  /** A task of a block, ended or not. */
  private record Known(TaskId id, long sequence, String group, String key) {}

  private static Known known(Task task) {
    return new Known(
        task.id(),
        task.sequence(),
        task.block().origin().group(),
        task.launch().key().map(ResultKey::digest).orElse(""));
  }

  private static Known known(EndedTask task) {
    return new Known(task.id(), task.sequence(), task.group(), task.key());
  }

  /** Returns the tasks of a block that come before a task, or else all of its document. */
  private List<Known> tasksOf(String name, Task task) {
    List<Known> before =
        task.block().requirements().after().stream()
            .flatMap(id -> registry.ended(id).stream())
            .filter(other -> other.name().equals(name))
            .map(ResultReuse::known)
            .toList();
    String document = task.block().origin().document();
    if (!before.isEmpty() || document.isEmpty()) {
      return before;
    }
    return registry.tasksOf(name, document).stream()
        .flatMap(
            id ->
                registry
                    .live(id)
                    .map(ResultReuse::known)
                    .or(() -> registry.ended(id).map(ResultReuse::known))
                    .stream())
        .toList();
  }

  /** Returns the keys of the blocks that come before a task; empty if one is not known. */
  private Optional<List<String>> keysOfBlocks(Task task) {
    List<String> keys = new ArrayList<>();
    for (String name : task.block().reuse().blocks()) {
      List<Known> all = tasksOf(name, task);
      Optional<Known> last = all.stream().max(Comparator.comparing(Known::sequence));
      List<String> found =
          all.stream()
              .filter(known -> isOfSameRun(known, last.orElseThrow()))
              .map(Known::key)
              .sorted()
              .toList();
      if (found.isEmpty() || found.contains("")) {
        return Optional.empty();
      }
      keys.addAll(found);
    }
    return Optional.of(keys);
  }

  private static boolean isOfSameRun(Known known, Known last) {
    return last.group().isEmpty() ? known.equals(last) : known.group().equals(last.group());
  }

  // Why there is no result.

  private void explain(Task task, Optional<ResultKey> key) {
    if (key.isEmpty()) {
      stale(task.id(), "a block that it comes after has no result that is known here");
      return;
    }
    BlockName block = BlockName.of(task.block().origin());
    var unused =
        earlierRuns
            .computeIfAbsent(block, this::readEarlierRuns)
            .thenAccept(
                tasks ->
                    executor.execute(
                        () -> {
                          earlierRuns.remove(block);
                          stale(task.id(), explanation(key.get(), tasks));
                        }));
  }

  /** The members of a group have their earlier runs in common, which are read once for all. */
  private CompletableFuture<List<Task>> readEarlierRuns(BlockName block) {
    List<TaskId> last =
        registry.tasksOf(block.name(), block.document()).stream()
            .flatMap(id -> registry.ended(id).stream())
            .filter(task -> !task.key().isEmpty())
            .sorted(Comparator.comparing(EndedTask::sequence).reversed())
            .limit(MAX_COMPARED)
            .map(EndedTask::id)
            .toList();
    return store.tasks(last).exceptionally(failure -> List.of());
  }

  /** Compares a key with the most similar one of earlier runs, the latest first. */
  private static String explanation(ResultKey key, List<Task> earlier) {
    return earlier.stream()
        .min(Comparator.comparing(task -> key.differences(keyOf(task)).size()))
        .map(task -> explanation(key.differences(keyOf(task)), task))
        .orElse("it has not run yet");
  }

  private static ResultKey keyOf(Task task) {
    return task.launch().key().orElseThrow();
  }

  private static String explanation(List<String> differences, Task earlier) {
    String ended = LOCAL_TIME.format(earlier.times().ended().orElseThrow());
    String when = "the run that ended at %s (%s)".formatted(ended, earlier.id());
    return differences.isEmpty()
        ? "%s is %s".formatted(when, earlier.state())
        : "%s differ%s from %s"
            .formatted(String.join(", ", differences), differences.size() == 1 ? "s" : "", when);
  }
}

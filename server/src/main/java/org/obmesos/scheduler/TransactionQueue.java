// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.obmesos.store.Changes;
import org.obmesos.store.Store;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commits changes of tasks to the store, and applies them to memory and runs their effects only
 * after the commit. Operations that arrive during a commit wait and form the next transaction, so
 * each operation sees the committed changes of all earlier operations. Used on the scheduler
 * thread, which never waits for the store.
 */
final class TransactionQueue {
  private static final Logger log = LoggerFactory.getLogger(TransactionQueue.class);

  /** Something that changes tasks. */
  interface Operation {
    /**
     * Makes the changes.
     *
     * @throws RuntimeException if it cannot; it must not have changed the draft by then
     */
    void prepare(Draft draft);

    /** Is called after the changes were committed and applied. */
    default void committed() {}

    /** Is called if the operation could not be prepared or committed; nothing has changed. */
    void failed(RuntimeException cause);
  }

  private final SchedulerExecutor executor;

  /** Failures further apart than this are different ones. */
  private static final Duration MAX_FAILURE_INTERVAL = Duration.ofSeconds(15);

  private final Store store;
  private final TaskRegistry registry;
  private final Consumer<Effect> effects;
  private final Runnable afterTransaction;
  private final Consumer<String> warning;
  private final Consumer<String> storeLost;
  private final Duration failureLimit;
  private final Deque<Operation> pending = new ArrayDeque<>();
  private Optional<Instant> failingSince = Optional.empty();
  private Instant lastFailure = Instant.MIN;
  private boolean committing;
  private boolean scheduled;

  /** What the queue tells others. */
  record Callbacks(
      Consumer<Effect> effects,
      Runnable afterTransaction,
      Consumer<String> warning,
      Consumer<String> storeLost) {}

  /**
   * Creates a queue.
   *
   * @param callbacks {@code effects} runs each effect of a committed transaction; {@code
   *     afterTransaction} is called after each transaction; {@code storeLost} is called with a
   *     message once the store has failed for longer than {@code failureLimit}
   */
  TransactionQueue(
      SchedulerExecutor executor,
      Store store,
      TaskRegistry registry,
      Callbacks callbacks,
      Duration failureLimit) {
    this.executor = executor;
    this.store = store;
    this.registry = registry;
    this.effects = callbacks.effects();
    this.afterTransaction = callbacks.afterTransaction();
    this.warning = callbacks.warning();
    this.storeLost = callbacks.storeLost();
    this.failureLimit = failureLimit;
  }

  /** Adds an operation to the next transaction. */
  void submit(Operation operation) {
    pending.add(operation);
    runSoon();
  }

  /** Adds an operation before all that wait. */
  void submitFirst(Operation operation) {
    pending.addFirst(operation);
    runSoon();
  }

  /** Completes when the operations submitted before are committed with their effects, or failed. */
  CompletableFuture<Void> barrier() {
    CompletableFuture<Void> reached = new CompletableFuture<>();
    if (!committing && pending.isEmpty()) {
      reached.complete(null);
      return reached;
    }
    submit(
        new Operation() {
          @Override
          public void prepare(Draft draft) {
            // Nothing changes.
          }

          @Override
          public void committed() {
            executor.execute(() -> reached.complete(null));
          }

          @Override
          public void failed(RuntimeException cause) {
            executor.execute(() -> reached.complete(null));
          }
        });
    return reached;
  }

  /** Events that are already queued on the thread share a transaction. */
  private void runSoon() {
    if (!scheduled && !committing) {
      scheduled = true;
      executor.execute(this::run);
    }
  }

  private void run() {
    scheduled = false;
    if (committing || pending.isEmpty()) {
      return;
    }
    List<Operation> operations = new ArrayList<>();
    Draft draft = new Draft(registry);
    while (!pending.isEmpty()) {
      Operation operation = pending.remove();
      try {
        operation.prepare(draft);
        operations.add(operation);
      } catch (RuntimeException e) {
        operation.failed(e);
      }
    }
    Changes changes = draft.changes();
    if (changes.isEmpty()) {
      apply(draft, operations);
      return;
    }
    committing = true;
    var unused =
        store
            .commit(changes)
            .whenComplete(
                (nothing, failure) ->
                    executor.execute(
                        () -> {
                          committing = false;
                          if (failure == null) {
                            failingSince = Optional.empty();
                            apply(draft, operations);
                          } else {
                            fail(operations, failure);
                          }
                        }));
  }

  private void apply(Draft draft, List<Operation> operations) {
    draft.applyTo(registry);
    // In this order: a kill in the same transaction follows the launch.
    operations.forEach(operation -> guarded(operation::committed));
    draft.forEachEffect(effect -> guarded(() -> effects.accept(effect)));
    proceed();
  }

  private void fail(List<Operation> operations, Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    log.error("{}", cause.getMessage());
    RuntimeException reason =
        cause instanceof RuntimeException known ? known : new IllegalStateException(cause);
    operations.forEach(operation -> guarded(() -> operation.failed(reason)));
    Instant now = Instant.now();
    // A failed submission is not repeated, so there may be no success between two failures.
    boolean continues = lastFailure.isAfter(now.minus(MAX_FAILURE_INTERVAL));
    Instant since = failingSince.filter(unused -> continues).orElse(now);
    lastFailure = now;
    if (failingSince.isEmpty() || !continues) {
      warning.accept(
          "Tasks cannot be stored in %s: %s. Nothing is lost; it is tried again"
              .formatted(store.file(), cause.getMessage()));
    }
    failingSince = Optional.of(since);
    if (Duration.between(since, now).compareTo(failureLimit) >= 0) {
      storeLost.accept(
          "Tasks cannot be stored in %s: %s. The server ends; running tasks continue, and the"
                  .formatted(store.file(), cause.getMessage())
              + " next server recovers them");
    }
    proceed();
  }

  private void proceed() {
    guarded(afterTransaction);
    if (!pending.isEmpty()) {
      runSoon();
    }
  }

  /** One failing effect must not keep the others from being run. */
  private static void guarded(Runnable job) {
    try {
      job.run();
    } catch (RuntimeException e) {
      log.error("unexpected exception in the scheduler", e);
    }
  }
}

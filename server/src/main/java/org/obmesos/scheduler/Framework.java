// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.obmesos.driver.SchedulerDriver;
import org.obmesos.sandbox.AgentMetrics;
import org.obmesos.sandbox.ExecRequest;
import org.obmesos.sandbox.Execution;
import org.obmesos.sandbox.KeptFiles;
import org.obmesos.sandbox.SandboxJob;
import org.obmesos.sandbox.SandboxReader;
import org.obmesos.sandbox.Sandboxes;
import org.obmesos.store.EndedTask;
import org.obmesos.store.Store;
import org.obmesos.task.Block;
import org.obmesos.task.InvalidBlockException;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.obmesos.task.TaskState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Mesos framework that runs blocks as tasks. All fields that change belong to the scheduler
 * thread; every method may be called on any thread and returns at once. A future that fails because
 * the store failed fails with a {@link org.obmesos.store.StoreException}; then nothing was done.
 */
public final class Framework implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Framework.class);

  private static final long CLOSE_SECONDS = 3;

  private final Store store;
  private final Sandboxes sandboxes;
  private final FrameworkOptions options;
  private final FrameworkListener listener;
  private final SchedulerExecutor executor = new SchedulerExecutor();
  private final TaskRegistry registry = new TaskRegistry();
  private final Secrets secrets = new Secrets();
  private final KeptFiles keptFiles;
  private final SandboxReader reader;
  private final Subscription subscription;
  private final TransactionQueue transactions;
  private final LaunchQueue launchQueue;
  private final UpdateHandler updateHandler;
  private final List<GracefulShutdown> shutdowns = new ArrayList<>();

  /** The requests that came before the store was read, in order. */
  private final List<EarlyRequest> early = new ArrayList<>();

  /** Why requests fail, if the store could not be read. */
  private Optional<Throwable> refusal = Optional.empty();

  private boolean loaded;
  private boolean expiring;

  private record EarlyRequest(Runnable run, CompletableFuture<?> done) {}

  /**
   * Creates a framework and starts it.
   *
   * @param connect creates the driver for the scheduler it is given; not started yet
   */
  public Framework(
      Store store,
      Sandboxes sandboxes,
      FrameworkOptions options,
      FrameworkListener listener,
      Function<Scheduler, SchedulerDriver> connect) {
    this.store = store;
    this.sandboxes = sandboxes;
    this.options = options;
    this.listener = listener;
    this.keptFiles = new KeptFiles(store.file().resolveSibling("files"));
    this.reader = new SandboxReader(sandboxes, options.resultLimit(), keptFiles, listener::output);
    this.subscription = new Subscription(options);
    this.transactions =
        new TransactionQueue(
            executor,
            store,
            registry,
            new TransactionQueue.Callbacks(
                this::runEffect, this::afterTransaction, listener::warning, listener::storeLost),
            options.storeFailureLimit());
    LaunchQueue.Collaborators with =
        new LaunchQueue.Collaborators(executor, transactions, registry, subscription, listener);
    this.launchQueue = new LaunchQueue(with, options, secrets, store, keptFiles);
    Reconciler reconciler = new Reconciler(executor, registry, subscription::reconcile);
    this.updateHandler = new UpdateHandler(with, reader, secrets, launchQueue, reconciler);
    MasterEvents events = new MasterEvents(with, launchQueue, reconciler, updateHandler);
    new PeriodicTasks(
            new ContainerUsage(executor, registry, reader)::sample,
            () -> {
              updateHandler.repeatKills();
              launchQueue.explainIdleCluster();
            },
            events::reconcileAll,
            events::reconcileUncertain,
            this::expire)
        .start(executor);
    load(events, connect);
  }

  private void runEffect(Effect effect) {
    updateHandler.run(effect);
  }

  // Loading.

  private void load(MasterEvents events, Function<Scheduler, SchedulerDriver> connect) {
    CompletableFuture<Optional<String>> id = store.frameworkId();
    CompletableFuture<List<Task>> live = store.liveTasks();
    CompletableFuture<List<EndedTask>> ended = store.endedTasks();
    CompletableFuture<List<Task>> inSessions = store.tasksInSessions();
    CompletableFuture<Map<String, byte[]>> executors = store.executors();
    var unused =
        CompletableFuture.allOf(id, live, ended, inSessions, executors)
            .whenComplete(
                (nothing, failure) ->
                    executor.execute(
                        () -> {
                          if (failure != null) {
                            listener.storeLost(
                                "The tasks in %s cannot be read: %s"
                                    .formatted(store.file(), cause(failure).getMessage()));
                            failEarly(cause(failure));
                            return;
                          }
                          registry.load(id.join(), live.join(), ended.join());
                          launchQueue.sessions().load(inSessions.join(), executors.join());
                          start(connect.apply(events));
                        }));
  }

  private void start(SchedulerDriver driver) {
    loaded = true;
    var unused = CompletableFuture.runAsync(keptFiles::deleteUnfinished);
    subscription.start(registry.frameworkId(), driver);
    registry.live().forEach(launchQueue::requireRole);
    launchQueue.admit(
        registry.live().stream().filter(task -> task.state() == TaskState.QUEUED).toList());
    early.forEach(request -> request.run().run());
    early.clear();
  }

  private void failEarly(Throwable cause) {
    refusal = Optional.of(cause);
    early.forEach(request -> request.done().completeExceptionally(cause));
    early.clear();
  }

  /** Does something on the scheduler thread, once the store has been read. */
  private <T> CompletableFuture<T> whenLoaded(Supplier<CompletableFuture<T>> work) {
    CompletableFuture<T> done = new CompletableFuture<>();
    Runnable run =
        () -> {
          try {
            var unused =
                work.get()
                    .whenComplete(
                        (value, failure) -> {
                          if (failure == null) {
                            done.complete(value);
                          } else {
                            done.completeExceptionally(cause(failure));
                          }
                        });
          } catch (RuntimeException e) {
            done.completeExceptionally(e);
          }
        };
    boolean accepted =
        executor.execute(
            () -> {
              if (loaded) {
                run.run();
              } else if (refusal.isPresent()) {
                done.completeExceptionally(refusal.get());
              } else {
                early.add(new EarlyRequest(run, done));
              }
            });
    if (!accepted) {
      done.completeExceptionally(shuttingDown());
    }
    return done;
  }

  /**
   * Does something once the requests before are committed, so that clients see their own changes.
   */
  private <T> CompletableFuture<T> afterSubmitted(Supplier<CompletableFuture<T>> work) {
    return whenLoaded(() -> transactions.barrier().thenCompose(reached -> work.get()));
  }

  private static IllegalStateException shuttingDown() {
    return new IllegalStateException("the server is shutting down");
  }

  private static Throwable cause(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  private <T> CompletableFuture<T> compute(Supplier<T> work) {
    return whenLoaded(() -> CompletableFuture.completedFuture(work.get()));
  }

  // Requests.

  /**
   * Submits blocks, all or none of them. One whose id is known is the same task and changes
   * nothing, unless that task waits for its body.
   *
   * @param secretValues the values of the secret variables of the blocks, by task id; kept in
   *     memory only, so a task that is not launched must be submitted again after a restart
   * @return completes once the tasks are stored; fails with {@link InvalidBlockException} if a
   *     block depends on a task that is not known
   */
  public CompletableFuture<Void> submit(
      List<Block> blocks, Map<TaskId, Map<String, String>> secretValues) {
    return whenLoaded(
        () -> {
          Submission submission =
              new Submission(blocks, secretValues, registry, secrets, launchQueue);
          transactions.submit(submission);
          return submission.done();
        });
  }

  /**
   * Kills tasks; those that have ended or are not known are left alone.
   *
   * @return the tasks that are known, once the kills are stored
   */
  public CompletableFuture<List<Task>> kill(Collection<TaskId> ids) {
    return whenLoaded(() -> storeKills(ids)).thenCompose(nothing -> get(ids));
  }

  private CompletableFuture<Void> storeKills(Collection<TaskId> ids) {
    Request kills =
        new Request() {
          @Override
          public void prepare(Draft draft) {
            ids.forEach(id -> draft.apply(id, new TaskEvent.Kill()));
          }
        };
    transactions.submit(kills);
    return kills.done();
  }

  /**
   * Kills tasks and waits until they have ended, at most ten seconds. If no task and no session is
   * left then, the framework is torn down.
   */
  public CompletableFuture<Void> finish(Collection<TaskId> ids) {
    GracefulShutdown shutdown =
        new GracefulShutdown(
            executor, registry, launchQueue.matcher().sessions(), store, subscription);
    return whenLoaded(() -> storeKills(ids))
        .thenCompose(
            nothing ->
                whenLoaded(
                    () -> {
                      shutdowns.add(shutdown);
                      shutdown.start(ids);
                      return shutdown.finished();
                    }));
  }

  /** Returns all tasks, in the order of submission; ended ones without their body. */
  public CompletableFuture<List<Task>> list() {
    return afterSubmitted(store::tasks).thenCompose(this::view);
  }

  /** Returns the given tasks as far as they are known, in the given order. */
  public CompletableFuture<List<Task>> get(Collection<TaskId> ids) {
    return afterSubmitted(
        () -> {
          Map<TaskId, Task> found = new HashMap<>();
          List<TaskId> ended = new ArrayList<>();
          for (TaskId id : ids) {
            registry
                .live(id)
                .ifPresentOrElse(task -> found.put(id, registry.view(task)), () -> ended.add(id));
          }
          CompletableFuture<List<Task>> stored =
              ended.stream().noneMatch(registry::contains)
                  ? CompletableFuture.completedFuture(List.of())
                  : store.tasks(ended);
          return stored.thenApply(
              tasks -> {
                tasks.forEach(task -> found.put(task.id(), task));
                return ids.stream().filter(found::containsKey).map(found::get).toList();
              });
        });
  }

  private CompletableFuture<List<Task>> view(List<Task> tasks) {
    return compute(
        () ->
            tasks.stream()
                .map(task -> registry.live(task.id()).map(registry::view).orElse(task))
                .toList());
  }

  /** Returns the number of tasks in each state. */
  public CompletableFuture<Map<TaskState, Long>> countByState() {
    return store.countByState();
  }

  /** Returns the result of a task; empty if it has not ended or is not known. */
  public CompletableFuture<Optional<TaskResult>> result(TaskId id) {
    return store.result(id);
  }

  /** Returns the path or address of a task's sandbox; empty if it was not launched. */
  public String location(Task task) {
    return reader.location(task);
  }

  /**
   * Reads in the sandbox of a task.
   *
   * @return empty if the task is not known; fails with {@link java.io.UncheckedIOException} if the
   *     sandbox cannot be read
   */
  public <T> CompletableFuture<Optional<T>> read(TaskId id, SandboxJob<T> job) {
    return get(List.of(id))
        .thenCompose(
            tasks ->
                tasks.isEmpty()
                    ? CompletableFuture.completedFuture(Optional.empty())
                    : read(tasks.get(0), job).thenApply(Optional::of));
  }

  private <T> CompletableFuture<T> read(Task task, SandboxJob<T> job) {
    return task.launch().reused().isEmpty()
        ? reader.read(task, job)
        : store
            .result(task.id())
            .thenCompose(result -> reader.readReused(task, result.orElse(TaskResult.NONE), job));
  }

  /**
   * Prepares a command beside a task, as {@link Sandboxes#exec}. Waits.
   *
   * @throws IOException if the task does not run, or the command cannot, with a sentence for the
   *     user
   */
  public Execution exec(TaskId id, ExecRequest request) throws IOException {
    Task task =
        get(List.of(id)).join().stream()
            .findFirst()
            .orElseThrow(() -> new UnknownTaskException(id));
    if (task.state() != TaskState.RUNNING && task.state() != TaskState.KILLING) {
      throw new IOException(
          task.state().isTerminal()
              ? "task %s has ended (%s)".formatted(id, task.state())
              : "task %s does not run yet (%s)".formatted(id, task.state()));
    }
    return sandboxes.exec(task, request);
  }

  /** No task has the id. */
  public static final class UnknownTaskException extends IOException {
    private static final long serialVersionUID = 1;

    UnknownTaskException(TaskId id) {
      super("no task has the id " + id);
    }
  }

  /** Sets the tasks that are visible to the user: their output is read more often. */
  public void watch(Set<TaskId> visible) {
    reader.watch(visible);
  }

  /**
   * Deletes ended tasks with their results and sandboxes. Others are left alone, and so are those
   * that a task that has not ended depends on.
   *
   * @return the tasks that were deleted
   */
  public CompletableFuture<List<TaskId>> delete(Collection<TaskId> ids) {
    return whenLoaded(
        () -> {
          // The store does one thing after the other: it reads before it commits the deletion.
          CompletableFuture<List<Task>> tasks = store.tasks(List.copyOf(ids));
          Deletion deletion = new Deletion(ids);
          transactions.submit(deletion);
          return deletion
              .done()
              .thenApply(
                  nothing -> {
                    listener.deleted(deletion.ids());
                    return deletion.ids();
                  })
              .thenCombine(
                  tasks,
                  (deleted, all) -> {
                    reader.delete(
                        all.stream().filter(task -> deleted.contains(task.id())).toList());
                    deleteFiles();
                    return List.copyOf(deleted);
                  });
        });
  }

  private void expire() {
    List<TaskId> expired =
        options.retention().expired(registry.ended(), registry.live(), Instant.now());
    if (!loaded || expiring || expired.isEmpty()) {
      return;
    }
    expiring = true;
    var unused =
        delete(expired)
            .whenComplete(
                (ids, failure) ->
                    executor.execute(
                        () -> {
                          expiring = false;
                          // Tasks may have ended meanwhile.
                          if (failure == null) {
                            expireIfExceeded();
                          }
                        }));
  }

  /** Deletes the files of results that were deleted. */
  private void deleteFiles() {
    var unused = store.keptFiles().thenAcceptAsync(keptFiles::retain);
  }

  private void expireIfExceeded() {
    if (options.retention().isExceeded(registry.ended().size())) {
      expire();
    }
  }

  /** Returns the agents that have made offers. */
  public CompletableFuture<List<Agent>> agents() {
    return compute(launchQueue.matcher().agents()::list);
  }

  /** Returns the sessions that have not ended, as far as this server knows. */
  public CompletableFuture<List<SessionSummary>> sessions() {
    return compute(() -> List.copyOf(launchQueue.matcher().sessions().list()));
  }

  /** Ends sessions, and the tasks that they run; those that are not known are left alone. */
  public CompletableFuture<Void> endSessions(Collection<String> names) {
    return compute(
        () -> {
          for (String name : names) {
            launchQueue
                .matcher()
                .sessions()
                .last(name)
                .ifPresent(
                    last -> {
                      subscription.send(calls -> calls.shutdown(last.launch().location()));
                      launchQueue.sessions().ended(name, "it was killed");
                    });
          }
          return null;
        });
  }

  /** Returns the last offers, the oldest first. */
  public CompletableFuture<List<OfferNote>> offers() {
    return compute(launchQueue.matcher()::notes);
  }

  /** Returns the metrics of an agent's machine; the last known ones if it does not answer soon. */
  public CompletableFuture<AgentMetrics> metrics(Agent agent) {
    return reader.metrics(agent.url());
  }

  /**
   * Returns the page of a task in the master's web UI; empty if the task is not known or was not
   * launched, or the master has no web UI.
   */
  public CompletableFuture<Optional<String>> page(TaskId id) {
    return get(List.of(id))
        .thenCompose(
            tasks -> compute(() -> tasks.stream().findFirst().flatMap(subscription::page)));
  }

  private void afterTransaction() {
    launchQueue.match();
    List.copyOf(shutdowns).forEach(GracefulShutdown::check);
    shutdowns.removeIf(shutdown -> shutdown.finished().isDone());
    expireIfExceeded();
  }

  /**
   * Ends the framework's work here, after the requests before are done; tasks go on. A second call
   * has no effect.
   */
  @Override
  public void close() {
    if (executor.isShutdown()) {
      return;
    }
    CompletableFuture<Void> done = whenLoaded(transactions::barrier).thenRun(subscription::close);
    try {
      done.get(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      log.warn("the scheduler did not end in order", e);
    }
    executor.execute(() -> failEarly(shuttingDown()));
    executor.shutdown();
    reader.close();
  }
}

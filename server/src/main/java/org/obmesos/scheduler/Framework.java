// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
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
import java.util.stream.Collectors;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.scheduler.Mesos;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.obmesos.driver.SchedulerDriver;
import org.obmesos.sandbox.AgentMetrics;
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
public final class Framework implements Scheduler, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Framework.class);

  /** When to subscribe again after an ERROR event. */
  private static final Duration RESUBSCRIBE_DELAY = Duration.ofSeconds(5);

  private static final long CLOSE_SECONDS = 3;

  private final Store store;
  private final FrameworkOptions options;
  private final FrameworkListener listener;
  private final SchedulerExecutor executor = new SchedulerExecutor();
  private final TaskRegistry registry = new TaskRegistry();
  private final Secrets secrets = new Secrets();
  private final SandboxReader reader;
  private final Subscription subscription;
  private final TransactionQueue transactions;
  private final LaunchQueue launches;
  private final Reconciler reconciler;
  private final UpdateHandler updates;
  private final List<GracefulShutdown> shutdowns = new ArrayList<>();

  /** The requests that came before the store was read, in order. */
  private final List<Runnable> early = new ArrayList<>();

  private boolean loaded;
  private boolean expiring;

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
    this.options = options;
    this.listener = listener;
    this.reader = new SandboxReader(sandboxes, options.resultLimit(), listener::output);
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
    this.launches = new LaunchQueue(with, options, secrets);
    this.reconciler = new Reconciler(executor, registry, this::reconcile);
    this.updates = new UpdateHandler(with, reader, secrets, launches, reconciler);
    new PeriodicTasks(
            () -> {
              updates.repeatKills();
              launches.explainIdleCluster();
            },
            () -> reconcile(List.of()),
            this::reconcileStaging,
            this::expire)
        .start(executor);
    load(connect);
  }

  private void runEffect(Effect effect) {
    updates.run(effect);
  }

  // Loading.

  private void load(Function<Scheduler, SchedulerDriver> connect) {
    CompletableFuture<Optional<String>> id = store.frameworkId();
    CompletableFuture<List<Task>> live = store.liveTasks();
    CompletableFuture<List<EndedTask>> ended = store.endedTasks();
    var unused =
        CompletableFuture.allOf(id, live, ended)
            .whenComplete(
                (nothing, failure) ->
                    executor.execute(
                        () -> {
                          if (failure != null) {
                            listener.storeLost(
                                "The tasks in %s cannot be read: %s"
                                    .formatted(store.file(), cause(failure).getMessage()));
                            return;
                          }
                          registry.load(live.join(), ended.join());
                          start(id.join(), connect.apply(this));
                        }));
  }

  private void start(Optional<String> id, SchedulerDriver driver) {
    loaded = true;
    subscription.start(id, driver);
    for (Task task : registry.live()) {
      subscription.requireRole(
          task.block().resources().gpus() > 0, task.block().requirements().role());
    }
    launches.admit(
        registry.live().stream().filter(task -> task.state() == TaskState.QUEUED).toList());
    early.forEach(Runnable::run);
    early.clear();
  }

  /** Does something on the scheduler thread, once the store has been read. */
  private <T> CompletableFuture<T> whenLoaded(Supplier<CompletableFuture<T>> work) {
    CompletableFuture<T> done = new CompletableFuture<>();
    if (executor.isShutdown()) {
      done.completeExceptionally(new IllegalStateException("the server is shutting down"));
      return done;
    }
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
    executor.execute(
        () -> {
          if (loaded) {
            run.run();
          } else {
            early.add(run);
          }
        });
    return done;
  }

  /**
   * Does something once the requests before are committed, so that clients see their own changes.
   */
  private <T> CompletableFuture<T> afterSubmitted(Supplier<CompletableFuture<T>> work) {
    return whenLoaded(() -> transactions.barrier().thenCompose(reached -> work.get()));
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
          Submission submission = new Submission(blocks, secretValues);
          transactions.submit(submission);
          return submission.done;
        });
  }

  private final class Submission extends Request {
    private final List<Block> blocks;
    private final Map<TaskId, Map<String, String>> secretValues;
    private final List<TaskId> changed = new ArrayList<>();

    Submission(List<Block> blocks, Map<TaskId, Map<String, String>> secretValues) {
      this.blocks = blocks;
      this.secretValues = secretValues;
    }

    @Override
    public void prepare(Draft draft) {
      DependencyTracker.checkOrder(blocks, draft);
      for (Block block : blocks) {
        Optional<Task> known = draft.live(block.id());
        if (!draft.contains(block.id())) {
          draft.insert(Task.submitted(draft.nextSequence(), block, Instant.now()));
          changed.add(block.id());
        } else if (known.filter(Submission::awaitsBody).isPresent()
            && !block.program().awaitsBody()) {
          draft.updateProgram(known.get().with(block.program()));
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
      launches.admit(
          changed.stream()
              .flatMap(id -> registry.live(id).stream())
              .filter(task -> task.state() == TaskState.QUEUED)
              .toList());
      super.committed();
    }
  }

  /** An operation somebody waits for. */
  private abstract static class Request implements TransactionQueue.Operation {
    final CompletableFuture<Void> done = new CompletableFuture<>();

    @Override
    public void committed() {
      done.complete(null);
    }

    @Override
    public void failed(RuntimeException cause) {
      done.completeExceptionally(cause);
    }
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
    return kills.done;
  }

  /**
   * Kills tasks and waits until they have ended, at most ten seconds. If no task is left then, the
   * framework is torn down.
   */
  public CompletableFuture<Void> finish(Collection<TaskId> ids) {
    GracefulShutdown shutdown = new GracefulShutdown(executor, registry, store, subscription, ids);
    return whenLoaded(() -> storeKills(ids))
        .thenCompose(
            nothing ->
                whenLoaded(
                    () -> {
                      shutdowns.add(shutdown);
                      shutdown.start();
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
                    : reader.read(tasks.get(0), job).thenApply(Optional::of));
  }

  /** Sets the tasks that are visible to the user: their output is read more often. */
  public void watch(Set<TaskId> visible) {
    reader.watch(visible);
  }

  /**
   * Deletes ended tasks with their results and sandboxes; others are left alone.
   *
   * @return the tasks that were deleted
   */
  public CompletableFuture<List<TaskId>> delete(Collection<TaskId> ids) {
    return whenLoaded(
        () ->
            store
                .tasks(ids.stream().filter(id -> registry.ended(id).isPresent()).toList())
                .thenCompose(
                    tasks ->
                        whenLoaded(
                            () -> {
                              Deletion deletion = new Deletion(tasks);
                              transactions.submit(deletion);
                              return deletion.done.thenApply(nothing -> deletion.ids);
                            })));
  }

  private final class Deletion extends Request {
    private final List<Task> tasks;
    private final List<TaskId> ids;

    Deletion(List<Task> tasks) {
      this.tasks = tasks;
      this.ids = tasks.stream().map(Task::id).toList();
    }

    @Override
    public void prepare(Draft draft) {
      ids.forEach(draft::delete);
    }

    @Override
    public void committed() {
      reader.delete(tasks);
      listener.deleted(ids);
      super.committed();
    }
  }

  private void expire() {
    List<TaskId> expired =
        options.retention().expired(registry.ended(), registry.live(), Instant.now());
    if (!loaded || expiring || expired.isEmpty()) {
      return;
    }
    expiring = true;
    var unused =
        delete(expired).whenComplete((ids, failure) -> executor.execute(() -> expiring = false));
  }

  /** Returns the agents that have made offers. */
  public CompletableFuture<List<Agent>> agents() {
    return compute(launches.matcher().agents()::list);
  }

  /** Returns the last offers, the oldest first. */
  public CompletableFuture<List<OfferNote>> offers() {
    return compute(launches.matcher()::notes);
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

  // Events of the cluster.

  @Override
  public void connected(Mesos mesos) {
    executor.execute(() -> subscription.subscribe(registry.queue().isEmpty()));
  }

  @Override
  public void disconnected(Mesos mesos) {
    executor.execute(
        () -> {
          subscription.down();
          launches.disconnected();
          reconciler.stop();
        });
  }

  @Override
  public void received(Mesos mesos, Event event) {
    executor.execute(
        () -> {
          switch (event.getType()) {
            case SUBSCRIBED -> {
              subscription.setMaster(event.getSubscribed().getMasterInfo());
              subscribed(event.getSubscribed().getFrameworkId());
            }
            case OFFERS -> launches.add(event.getOffers().getOffersList());
            case UPDATE -> {
              launches
                  .matcher()
                  .agents()
                  .confirm(event.getUpdate().getStatus().getAgentId().getValue());
              updates.update(event.getUpdate().getStatus());
            }
            case RESCIND -> launches.rescind(event.getRescind().getOfferId());
            case INVERSE_OFFERS ->
                subscription.send(
                    calls -> calls.acceptInverse(event.getInverseOffers().getInverseOffersList()));
            case FAILURE -> failed(event.getFailure());
            case ERROR -> error(event.getError().getMessage());
            default -> log.debug("event {}", event.getType());
          }
        });
  }

  private void failed(Event.Failure failure) {
    if (failure.hasAgentId() && !failure.hasExecutorId()) {
      launches.agentRemoved(failure.getAgentId().getValue());
    }
  }

  /** The id of a new framework is stored before anything is launched under it. */
  private void subscribed(FrameworkID id) {
    if (!subscription.setId(id)) {
      subscriptionUp();
      return;
    }
    transactions.submit(
        new TransactionQueue.Operation() {
          @Override
          public void prepare(Draft draft) {
            draft.setFrameworkId(id.getValue());
          }

          @Override
          public void committed() {
            subscriptionUp();
          }

          @Override
          public void failed(RuntimeException cause) {
            var unused = executor.schedule(LaunchQueue.RETRY, () -> transactions.submit(this));
          }
        });
  }

  private void subscriptionUp() {
    subscription.up();
    listener.cluster(true, "");
    launches
        .matcher()
        .agents()
        .resubscribed(
            registry.launched().stream()
                .map(task -> task.launch().location().agentId())
                .collect(Collectors.toSet()));
    reconciler.start();
    updates.repeatKills();
    launches.revive();
    launches.match();
  }

  /**
   * The master ends the subscription. Either another server has subscribed with the same framework
   * id; to subscribe again would only evict that one. Or the framework was removed, and its tasks
   * with it. Anything else is tried again.
   */
  private void error(String message) {
    subscription.down();
    if (message.contains("removed") || message.contains("Completed framework")) {
      log.warn("{}; its tasks are lost, and a new framework begins", message);
      updates.frameworkRemoved(message);
      subscription.startNewFramework();
    } else if (message.contains("failed over")) {
      listener.cluster(false, message);
      subscription.close();
    } else {
      listener.cluster(false, message);
      var unused = executor.schedule(RESUBSCRIBE_DELAY, subscription::resubscribe);
    }
  }

  private void reconcile(Collection<Task> tasks) {
    subscription.send(calls -> calls.reconcile(tasks));
  }

  /** An ACCEPT call can get lost in a master that dies. */
  private void reconcileStaging() {
    Instant limit = Instant.now().minus(PeriodicTasks.STAGING_TIMEOUT);
    List<Task> staging =
        registry.launched().stream()
            .filter(task -> task.state() == TaskState.STAGING)
            .filter(task -> task.times().submitted().isBefore(limit))
            .toList();
    if (!staging.isEmpty()) {
      reconcile(staging);
    }
  }

  private void afterTransaction() {
    launches.match();
    List.copyOf(shutdowns).forEach(GracefulShutdown::check);
    shutdowns.removeIf(shutdown -> shutdown.finished().isDone());
    if (options.retention().isExceeded(registry.ended().size())) {
      expire();
    }
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
    CompletableFuture<Void> done = new CompletableFuture<>();
    executor.execute(
        () -> {
          var unused =
              transactions
                  .barrier()
                  .thenRun(
                      () -> {
                        subscription.close();
                        done.complete(null);
                      });
        });
    try {
      done.get(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      log.warn("the scheduler did not end in time", e);
    }
    executor.shutdown();
    reader.close();
  }
}

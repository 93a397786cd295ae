// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.OfferID;
import org.apache.mesos.v1.scheduler.Mesos;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.obmesos.driver.SchedulerDriver;
import org.obmesos.sandbox.Sandboxes;
import org.obmesos.store.Store;
import org.obmesos.task.Block;
import org.obmesos.task.Placing;
import org.obmesos.task.Resources;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.obmesos.task.TaskState;
import org.obmesos.task.TaskStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Mesos framework that runs blocks. All fields but the final ones belong to the scheduler loop;
 * every method may be called from any thread and returns at once.
 */
public final class Framework implements Scheduler, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Framework.class);

  /** How long an offer is not wanted while nothing waits. */
  private static final double IDLE_REFUSE_SECONDS = 3600;

  /** How long what is left of an offer is not wanted while something waits that does not fit. */
  private static final double BUSY_REFUSE_SECONDS = 5;

  /** How often a launch that did not happen is made again. */
  private static final int LAUNCHES = 10;

  private final Store store;
  private final FrameworkOptions options;
  private final FrameworkListener listener;
  private final Loop loop;
  private final SandboxReader reader;
  private final Reconciler reconciler;
  private final CompletableFuture<Void> loaded;
  private final Map<TaskId, Task> tasks = new LinkedHashMap<>();
  private final Map<String, TaskId> launches = new HashMap<>();
  private final Set<TaskId> toKill = new HashSet<>();
  private final Set<TaskId> ending = new HashSet<>();
  private final Queue queue = new Queue();
  private final Agents agents = new Agents();
  private final List<Offer> held = new ArrayList<>();

  private SchedulerDriver driver;
  private Optional<String> frameworkId = Optional.empty();
  private Optional<Calls> calls = Optional.empty();
  private boolean suppressed;
  private long sequence;

  /**
   * Makes a framework and starts it.
   *
   * @param connect makes the driver for the scheduler it is given; not started yet
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
    this.loop = new Loop();
    this.reader = new SandboxReader(sandboxes, options.resultLimit(), listener::output);
    this.reconciler = new Reconciler(loop.executor(), this::askFor);
    this.loaded =
        store
            .frameworkId()
            .thenCombineAsync(
                store.tasks(),
                (id, found) -> {
                  load(id, found, connect);
                  return null;
                },
                loop.executor());
    new Upkeep(this::repeatKills, () -> askFor(List.of()), this::askForTheSilent)
        .start(loop.executor());
  }

  private void load(
      Optional<String> id, List<Task> found, Function<Scheduler, SchedulerDriver> connect) {
    frameworkId = id;
    for (Task task : found) {
      tasks.put(task.id(), task);
      sequence = Math.max(sequence, task.sequence());
      if (task.state() == TaskState.QUEUED) {
        queue.add(task);
      } else if (!task.state().isTerminal()) {
        launches.put(task.mesosTaskId(), task.id());
        if (task.state() == TaskState.KILLING) {
          toKill.add(task.id());
        }
      }
    }
    driver = connect.apply(this);
    driver.start();
  }

  /** Runs on the loop, once the store is read. */
  private <T> CompletableFuture<T> onLoop(Supplier<T> work) {
    return loaded.thenApplyAsync(unused -> work.get(), loop.executor());
  }

  // What others ask.

  /**
   * Takes blocks. One whose id is known already is the same task and changes nothing.
   *
   * @return the tasks in the order of the blocks, once they are in the store
   */
  public CompletableFuture<List<Task>> submit(List<Block> blocks) {
    return onLoop(
            () -> {
              List<Task> fresh = new ArrayList<>();
              for (Block block : blocks) {
                if (!tasks.containsKey(block.id())) {
                  Task task = Task.submitted(++sequence, block, Instant.now());
                  tasks.put(block.id(), task);
                  fresh.add(task);
                }
              }
              return fresh;
            })
        .thenCompose(
            fresh ->
                store
                    .insert(fresh)
                    .thenApplyAsync(
                        stored -> {
                          fresh.forEach(this::enqueue);
                          return blocks.stream().map(block -> tasks.get(block.id())).toList();
                        },
                        loop.executor()));
  }

  private void enqueue(Task task) {
    if (!tasks.get(task.id()).equals(task) || ending.contains(task.id())) {
      return;
    }
    Optional<String> never =
        options.most().flatMap(all -> Shortage.of(task.block().resources(), List.of(all)));
    if (never.isPresent()) {
      end(task, TaskStatus.of(TaskState.ERROR, "The task " + never.get()), () -> {});
      return;
    }
    queue.add(task);
    explain(task);
    revive();
  }

  /** Tells what a waiting task wants more of than any agent has offered, if it does. */
  private void explain(Task task) {
    String why = agents.shortage(task.block().resources()).orElse("");
    if (!why.isEmpty() && !why.equals(task.status().message())) {
      queue.remove(task);
      Task next = task.with(TaskStatus.of(TaskState.QUEUED, why), Instant.now());
      tasks.put(next.id(), next);
      queue.add(next);
      listener.status(next);
    }
  }

  /** Ends tasks; those not known or ended already are left alone. */
  public CompletableFuture<List<Task>> kill(Collection<TaskId> ids) {
    return onLoop(
        () -> {
          List<Task> known = ids.stream().map(tasks::get).filter(task -> task != null).toList();
          known.forEach(this::kill);
          return known;
        });
  }

  private void kill(Task task) {
    if (task.state().isTerminal()) {
      return;
    }
    if (task.state() == TaskState.QUEUED) {
      queue.remove(task);
      end(task, TaskStatus.of(TaskState.KILLED, "Killed before it was launched"), () -> {});
    } else {
      toKill.add(task.id());
      send(made -> made.kill(task));
    }
  }

  /** A kill can be lost without a word (Mesos' master.cpp), so it is said until it is heard. */
  private void repeatKills() {
    toKill.forEach(id -> Optional.ofNullable(tasks.get(id)).ifPresent(this::kill));
  }

  /** All tasks, in the order of their submission. */
  public CompletableFuture<List<Task>> list() {
    return onLoop(() -> List.copyOf(tasks.values()));
  }

  /** Those of the given tasks that are known. */
  public CompletableFuture<List<Task>> get(Collection<TaskId> ids) {
    return onLoop(() -> ids.stream().map(tasks::get).filter(task -> task != null).toList());
  }

  /** What a task wrote; empty while it runs. */
  public CompletableFuture<Optional<TaskResult>> result(TaskId id) {
    return store.result(id);
  }

  /**
   * Reads in the sandbox of a task.
   *
   * @return empty if the task is not known
   */
  public <T> CompletableFuture<Optional<T>> read(TaskId id, SandboxJob<T> job) {
    return onLoop(() -> frameworkId.flatMap(framework -> read(framework, id, job)))
        .thenCompose(
            found ->
                found
                    .map(future -> future.thenApply(Optional::of))
                    .orElseGet(() -> CompletableFuture.completedFuture(Optional.empty())));
  }

  private <T> Optional<CompletableFuture<T>> read(String framework, TaskId id, SandboxJob<T> job) {
    return Optional.ofNullable(tasks.get(id)).map(task -> reader.read(framework, task, job));
  }

  /** Removes ended tasks, with their results and sandboxes; others are left alone. */
  public CompletableFuture<List<TaskId>> forget(Collection<TaskId> ids) {
    return onLoop(
            () -> {
              List<Task> gone = new ArrayList<>();
              for (TaskId id : ids) {
                Task task = tasks.get(id);
                if (task != null && task.state().isTerminal()) {
                  tasks.remove(id);
                  gone.add(task);
                }
              }
              frameworkId.ifPresent(framework -> reader.delete(framework, gone));
              return gone.stream().map(Task::id).toList();
            })
        .thenCompose(gone -> store.forget(gone).thenApply(unused -> gone));
  }

  /** The agents that have made offers. */
  public CompletableFuture<List<Agent>> agents() {
    return onLoop(agents::list);
  }

  // What the cluster says.

  @Override
  public void connected(Mesos mesos) {
    loop.post(
        () -> {
          suppressed = queue.isEmpty();
          driver.send(Calls.subscribe(Calls.frameworkInfo(options, frameworkId), suppressed));
        });
  }

  @Override
  public void disconnected(Mesos mesos) {
    loop.post(
        () -> {
          calls = Optional.empty();
          held.clear();
          reconciler.stop();
        });
  }

  @Override
  public void received(Mesos mesos, Event event) {
    loop.post(
        () -> {
          switch (event.getType()) {
            case SUBSCRIBED -> subscribed(event.getSubscribed().getFrameworkId());
            case OFFERS -> offers(event.getOffers().getOffersList());
            case UPDATE -> update(event.getUpdate().getStatus());
            case RESCIND ->
                held.removeIf(offer -> offer.getId().equals(event.getRescind().getOfferId()));
            case INVERSE_OFFERS ->
                send(made -> made.acceptInverse(event.getInverseOffers().getInverseOffersList()));
            case ERROR -> refused(event.getError().getMessage());
            default -> log.debug("event {}", event.getType());
          }
        });
  }

  private void subscribed(FrameworkID id) {
    boolean known = frameworkId.equals(Optional.of(id.getValue()));
    frameworkId = Optional.of(id.getValue());
    CompletableFuture<Void> stored =
        known ? CompletableFuture.completedFuture(null) : store.setFrameworkId(id.getValue());
    loop.whenStored(
        stored,
        () -> {
          calls = Optional.of(new Calls(id));
          listener.cluster(true, "");
          reconciler.start(launches.values().stream().map(tasks::get).toList());
          repeatKills();
          if (!queue.isEmpty()) {
            revive();
          }
          List<Offer> waiting = List.copyOf(held);
          held.clear();
          offers(waiting);
        });
  }

  /**
   * The master ends our part. Either another server has taken the framework over, and then a new
   * subscription would only take it back, and so on for ever; or the framework is gone for good,
   * and what ran under its name with it.
   */
  private void refused(String message) {
    calls = Optional.empty();
    if (message.contains("removed") || message.contains("Completed framework")) {
      log.warn("{}; its tasks are lost, and a new framework begins", message);
      List<Task> gone = launches.values().stream().map(tasks::get).toList();
      frameworkId = Optional.empty();
      gone.forEach(task -> end(task, TaskStatus.of(TaskState.LOST, message), () -> {}));
      driver.reconnect();
    } else {
      listener.cluster(false, message);
      if (message.contains("failed over")) {
        driver.close();
      }
    }
  }

  private void send(Function<Calls, Call> make) {
    calls.ifPresent(made -> driver.send(make.apply(made)));
  }

  private void askFor(Collection<Task> unanswered) {
    send(made -> made.reconcile(unanswered));
  }

  /** A launch can get lost in a master that dies. */
  private void askForTheSilent() {
    Instant longAgo = Instant.now().minus(Upkeep.SILENCE);
    List<Task> silent =
        launches.values().stream()
            .map(tasks::get)
            .filter(task -> task.state() == TaskState.STAGING)
            .filter(task -> task.times().submitted().isBefore(longAgo))
            .toList();
    if (!silent.isEmpty()) {
      askFor(silent);
    }
  }

  private void revive() {
    suppressed = false;
    send(Calls::revive);
  }

  private void suppress() {
    if (!suppressed) {
      suppressed = true;
      send(Calls::suppress);
    }
  }

  private void offers(List<Offer> offers) {
    if (calls.isEmpty()) {
      held.addAll(offers);
      return;
    }
    Map<OfferID, Offer> byId = new LinkedHashMap<>();
    Map<OfferID, Resources> room = new LinkedHashMap<>();
    boolean grown = false;
    for (Offer offer : offers) {
      byId.put(offer.getId(), offer);
      room.put(offer.getId(), Agents.offered(offer));
      grown |= agents.note(offer);
    }
    Map<OfferID, List<Task>> plan =
        Placement.plan(
            room,
            () ->
                StreamSupport.stream(queue.spliterator(), false)
                    .map(task -> new Placement.Wanted<>(task, task.block().resources()))
                    .iterator());
    plan.forEach((id, chosen) -> launch(byId.get(id), chosen));
    List<OfferID> unused =
        byId.keySet().stream().filter(id -> !plan.containsKey(id)).collect(Collectors.toList());
    if (!unused.isEmpty()) {
      double refuse = queue.isEmpty() ? IDLE_REFUSE_SECONDS : BUSY_REFUSE_SECONDS;
      send(made -> made.decline(unused, refuse));
    }
    if (queue.isEmpty()) {
      suppress();
    } else if (grown) {
      StreamSupport.stream(queue.spliterator(), false).toList().forEach(this::explain);
    }
  }

  /** That a task is about to be launched is stored before it is. */
  private void launch(Offer offer, List<Task> chosen) {
    List<Task> staged = new ArrayList<>();
    CompletableFuture<Void> stored = CompletableFuture.completedFuture(null);
    for (Task task : chosen) {
      queue.remove(task);
      Task next =
          task.with(
                  new Placing(
                      task.placing().attempt(),
                      offer.getAgentId().getValue(),
                      offer.getHostname(),
                      Agents.url(offer)))
              .with(TaskStatus.of(TaskState.STAGING, ""), Instant.now());
      tasks.put(next.id(), next);
      launches.put(next.mesosTaskId(), next.id());
      staged.add(next);
      stored = store.update(next);
    }
    double refuse = queue.isEmpty() ? IDLE_REFUSE_SECONDS : BUSY_REFUSE_SECONDS;
    loop.whenStored(
        stored,
        () -> {
          send(
              made ->
                  made.accept(
                      offer.getId(),
                      staged.stream().map(task -> TaskInfos.of(task, offer)).toList(),
                      refuse));
          staged.forEach(listener::status);
          staged.stream().filter(task -> toKill.contains(task.id())).forEach(this::kill);
        });
  }

  private void update(org.apache.mesos.v1.Protos.TaskStatus said) {
    TaskId id = launches.get(said.getTaskId().getValue());
    if (id == null) {
      stranger(said);
      return;
    }
    Task task = tasks.get(id);
    reconciler.answered(id);
    TaskStatus status = Statuses.of(said, task.state());
    if (task.state().isTerminal() || ending.contains(id)) {
      // Said again before our word reached the agent; what is on its way to the store is enough.
      if (!ending.contains(id)) {
        acknowledge(said);
      }
    } else if (!task.state().hasStarted() && Statuses.neverStarted(status)) {
      again(task, status, said);
    } else if (status.state().isTerminal()) {
      end(task, status, () -> acknowledge(said));
    } else {
      moved(task, status, said);
    }
  }

  /** Mesos runs something under our name that we do not want, or tells of an earlier launch. */
  private void stranger(org.apache.mesos.v1.Protos.TaskStatus said) {
    acknowledge(said);
    if (!Statuses.state(said).isTerminal() && Statuses.state(said) != TaskState.UNKNOWN) {
      log.warn("task {} is not known here and is killed", said.getTaskId().getValue());
      send(made -> made.kill(said));
    }
  }

  private void acknowledge(org.apache.mesos.v1.Protos.TaskStatus said) {
    if (said.hasUuid() && !said.getUuid().isEmpty()) {
      send(made -> made.acknowledge(said, said.getUuid()));
    }
  }

  private void moved(Task task, TaskStatus status, org.apache.mesos.v1.Protos.TaskStatus said) {
    if (status.state() == task.state()) {
      acknowledge(said);
      follow(task);
      return;
    }
    Task next = task.with(status, Instant.now());
    tasks.put(next.id(), next);
    loop.whenStored(
        store.update(next),
        () -> {
          acknowledge(said);
          listener.status(next);
          follow(next);
        });
  }

  private void follow(Task task) {
    if (task.state() == TaskState.RUNNING) {
      frameworkId.ifPresent(framework -> reader.follow(framework, task));
    }
  }

  /** A launch that did not happen is made again, under another id, as a new turn at the queue. */
  private void again(Task task, TaskStatus status, org.apache.mesos.v1.Protos.TaskStatus said) {
    launches.remove(task.mesosTaskId());
    if (toKill.contains(task.id()) || task.placing().attempt() + 1 >= LAUNCHES) {
      end(
          task,
          toKill.contains(task.id())
              ? TaskStatus.of(TaskState.KILLED, "Killed before it was launched")
              : status,
          () -> acknowledge(said));
      return;
    }
    log.info("task {} is launched again: {}", task.id(), status.message());
    Task next =
        task.with(task.placing().again())
            .with(TaskStatus.of(TaskState.QUEUED, status.message()), Instant.now());
    tasks.put(next.id(), next);
    loop.whenStored(
        store.update(next),
        () -> {
          acknowledge(said);
          listener.status(next);
          enqueue(next);
        });
  }

  /** Reads what the task wrote, stores it, and only then tells of the end. */
  private void end(Task task, TaskStatus status, Runnable then) {
    ending.add(task.id());
    boolean ran = task.state() != TaskState.QUEUED;
    var unused =
        reader
            .lastWords(ran ? frameworkId : Optional.empty(), task)
            .thenAcceptAsync(
                result -> {
                  Task last = task.with(status, Instant.now());
                  loop.whenStored(
                      store.update(last, result),
                      () -> {
                        tasks.put(last.id(), last.withoutBody());
                        ending.remove(last.id());
                        toKill.remove(last.id());
                        launches.remove(last.mesosTaskId());
                        then.run();
                        listener.status(last);
                      });
                },
                loop.executor());
  }

  /** Ends the framework's part; tasks go on. */
  @Override
  public void close() {
    CompletableFuture<Void> done =
        loaded.handleAsync(
            (nothing, failure) -> {
              if (driver != null) {
                driver.close();
              }
              return null;
            },
            loop.executor());
    try {
      done.get(3, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
      log.warn("the scheduler did not end in time", e);
    }
    loop.executor().shutdown();
    reader.close();
  }
}

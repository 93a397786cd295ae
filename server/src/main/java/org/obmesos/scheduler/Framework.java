// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.StreamSupport;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.OfferID;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.apache.mesos.v1.scheduler.Mesos;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.obmesos.driver.SchedulerDriver;
import org.obmesos.sandbox.AgentFigures;
import org.obmesos.sandbox.SandboxJob;
import org.obmesos.sandbox.SandboxReader;
import org.obmesos.sandbox.Sandboxes;
import org.obmesos.store.Store;
import org.obmesos.task.Block;
import org.obmesos.task.Site;
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

  /** When to try again with a master that does not want us. */
  private static final Duration REFUSED_PAUSE = Duration.ofSeconds(5);

  private final Store store;
  private final FrameworkOptions options;
  private final FrameworkListener listener;
  private final Loop loop = new Loop();
  private final SandboxReader reader;
  private final Subscription subscription;
  private final Updates updates;
  private final Reconciler reconciler;
  private final CompletableFuture<Void> loaded;
  private final Roll roll = new Roll();
  private final OfferMatcher matcher;
  private final Secrets secrets = new Secrets();
  private final Prerequisites prerequisites = new Prerequisites(roll);
  private final List<Offer> held = new ArrayList<>();
  private boolean reviving;

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
    this.reader = new SandboxReader(sandboxes, options.resultLimit(), listener::output);
    this.subscription = new Subscription(options);
    this.matcher = new OfferMatcher(roll, options.hasRoles());
    this.updates =
        new Updates(
            roll,
            subscription,
            new Updates.Around(loop, store, reader, listener, prerequisites, secrets),
            this::enqueue);
    this.reconciler = new Reconciler(loop.executor(), this::askFor);
    this.loaded = CompletableFuture.runAsync(() -> load(connect), loop.executor());
    new Upkeep(
            () -> {
              repeatKills();
              explainWaiting();
            },
            () -> askFor(List.of()),
            this::askForTheSilent)
        .start(loop.executor());
  }

  /** The first thing on the loop; all else waits for it there, in the order it came in. */
  private void load(Function<Scheduler, SchedulerDriver> connect) {
    CompletableFuture<Optional<String>> id = store.frameworkId();
    List<Task> found = store.tasks().join();
    roll.load(found);
    found.stream().filter(task -> task.state() == TaskState.QUEUED).forEach(this::enqueue);
    found.forEach(this::noteWishes);
    subscription.start(id.join(), connect.apply(this));
  }

  private <T> CompletableFuture<T> onLoop(Supplier<T> work) {
    return CompletableFuture.supplyAsync(
        () -> {
          loaded.join();
          return work.get();
        },
        loop.executor());
  }

  // What others ask.

  /**
   * Takes blocks. One whose id is known already is the same task and changes nothing, unless that
   * task waits for its body.
   *
   * @param values those of the secret variables that the blocks name, by their ids; kept in memory
   *     only, so that a task that waits must be submitted again after a restart
   * @return the tasks in the order of the blocks, once they are in the store; fails with {@link
   *     InvalidBlockException} if one comes after a task that is not known
   */
  public CompletableFuture<List<Task>> submit(
      List<Block> blocks, Map<TaskId, Map<String, String>> values) {
    return onLoop(() -> taken(blocks, values))
        .thenCompose(
            taken ->
                store
                    .insert(taken.fresh(), taken.completed())
                    .thenApplyAsync(
                        stored -> {
                          taken.fresh().forEach(this::enqueue);
                          taken.completed().forEach(this::enqueue);
                          taken.disclosed().forEach(this::enqueue);
                          return roll.known(blocks.stream().map(Block::id).toList());
                        },
                        loop.executor()));
  }

  /** What is new in blocks that were submitted. */
  private record Taken(List<Task> fresh, List<Task> completed, List<Task> disclosed) {}

  private Taken taken(List<Block> blocks, Map<TaskId, Map<String, String>> values) {
    roll.checkOrder(blocks);
    Taken taken = new Taken(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    for (Block block : blocks) {
      Optional<Task> known = roll.get(block.id());
      boolean news = secrets.learn(block.id(), known, values.getOrDefault(block.id(), Map.of()));
      if (known.isEmpty()) {
        Task task = Task.submitted(roll.nextSequence(), block, Instant.now());
        roll.put(task);
        taken.fresh().add(task);
      } else if (roll.awaitsBody(known.get()) && !block.program().awaitsBody()) {
        Task task = known.get().with(block.program());
        roll.put(task);
        taken.completed().add(task);
      } else if (news && known.get().state() == TaskState.QUEUED) {
        taken.disclosed().add(known.get());
      }
    }
    return taken;
  }

  private void enqueue(Task task) {
    if (!roll.isStill(task)) {
      return;
    }
    Optional<String> never =
        prerequisites
            .broken(task)
            .or(() -> options.bounds().flatMap(bounds -> bounds.never(task.block())));
    if (never.isPresent()) {
      updates.end(task, TaskStatus.of(TaskState.ERROR, "The task " + never.get()), () -> {});
      return;
    }
    Optional<String> held = prerequisites.hold(task).or(() -> secrets.missing(task));
    if (held.isPresent()) {
      explain(task, held.get());
      return;
    }
    roll.queue().add(task);
    explain(task);
    noteWishes(task);
    revive();
  }

  /** Once for all that is queued at this time. */
  private void revive() {
    if (!reviving) {
      reviving = true;
      loop.post(
          () -> {
            reviving = false;
            if (!roll.queue().isEmpty()) {
              subscription.revive();
            }
          });
    }
  }

  /** Some offers are made to those only who have asked for them. */
  private void noteWishes(Task task) {
    if (!task.state().isTerminal()) {
      subscription.want(task.block().resources().gpus() > 0, task.block().needs().role());
    }
  }

  /** Tells why a waiting task cannot be launched, where that is known. */
  private void explain(Task task) {
    matcher.shortage(task).ifPresent(why -> explainQueued(task, why));
  }

  private void explainQueued(Task task, String why) {
    roll.queue().remove(task);
    roll.queue().add(explain(task, why));
  }

  /** After a while somebody wants to know, even where nothing is. */
  private void explainWaiting() {
    if (subscription.isUp() && matcher.agents().list().isEmpty()) {
      StreamSupport.stream(roll.queue().spliterator(), false)
          .toList()
          .forEach(task -> explainQueued(task, "waits for an offer: no agent has made one yet"));
    }
  }

  private Task explain(Task task, String why) {
    if (why.equals(task.status().message())) {
      return task;
    }
    Task next = task.with(TaskStatus.of(TaskState.QUEUED, why), Instant.now());
    roll.put(next);
    listener.status(next);
    return next;
  }

  /** Ends tasks; those not known or ended already are left alone. */
  public CompletableFuture<List<Task>> kill(Collection<TaskId> ids) {
    return onLoop(
        () -> {
          List<Task> known = roll.known(ids);
          known.forEach(this::kill);
          return known;
        });
  }

  private void kill(Task task) {
    if (task.state().isTerminal() || roll.isEnding(task)) {
      return;
    }
    if (task.state() == TaskState.QUEUED) {
      roll.queue().remove(task);
      updates.end(task, TaskStatus.of(TaskState.KILLED, "Killed before it was launched"), () -> {});
    } else {
      roll.markToKill(task);
      subscription.send(made -> made.kill(task));
      if (task.state() == TaskState.UNREACHABLE) {
        // A task that is not known any more is killed when its agent tells of it.
        updates.end(
            task,
            TaskStatus.of(
                TaskState.KILLED, "Its agent does not answer; should it come back, it is killed"),
            () -> {});
      }
    }
  }

  /** A kill can be lost without a word (Mesos' master.cpp), so it is said until it is heard. */
  private void repeatKills() {
    roll.toKill().forEach(this::kill);
  }

  /**
   * Ends tasks for the last time and waits for that, but not for ever. If none is left then, the
   * framework is over too.
   *
   * @return completes when the master has heard it
   */
  public CompletableFuture<Void> finish(Collection<TaskId> ids) {
    Farewell farewell = new Farewell(loop, roll, store, subscription);
    return onLoop(
            () -> {
              roll.known(ids).forEach(this::kill);
              farewell.say(ids);
              return farewell;
            })
        .thenCompose(Farewell::finished);
  }

  /** All tasks, in the order of their submission. */
  public CompletableFuture<List<Task>> list() {
    return onLoop(roll::all);
  }

  /** Those of the given tasks that are known. */
  public CompletableFuture<List<Task>> get(Collection<TaskId> ids) {
    return onLoop(() -> roll.known(ids));
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
    return onLoop(() -> roll.get(id).map(task -> reader.read(task, job)))
        .thenCompose(
            found ->
                found
                    .map(future -> future.thenApply(Optional::of))
                    .orElseGet(() -> CompletableFuture.completedFuture(Optional.empty())));
  }

  /** Says which tasks somebody looks at: their output is read more often. */
  public void watch(Set<TaskId> visible) {
    reader.watch(visible);
  }

  /** Removes ended tasks, with their results and sandboxes; others are left alone. */
  public CompletableFuture<List<TaskId>> forget(Collection<TaskId> ids) {
    return onLoop(
            () -> {
              List<Task> gone =
                  roll.known(ids).stream().filter(task -> task.state().isTerminal()).toList();
              gone.forEach(roll::remove);
              reader.delete(gone);
              return gone.stream().map(Task::id).toList();
            })
        .thenCompose(gone -> store.forget(gone).thenApply(unused -> gone));
  }

  /** The agents that have made offers. */
  public CompletableFuture<List<Agent>> agents() {
    return onLoop(matcher.agents()::list);
  }

  /** The last offers and what was said to them, the oldest first. */
  public CompletableFuture<List<OfferNote>> offers() {
    return onLoop(matcher::notes);
  }

  /** How the machine of an agent is. */
  public CompletableFuture<AgentFigures> figures(Agent agent) {
    return reader.figures(agent.url());
  }

  /**
   * The page of a task in the master's web UI.
   *
   * @return empty if the task is not known or was not launched yet, or there is no such UI
   */
  public CompletableFuture<Optional<String>> page(TaskId id) {
    return onLoop(() -> roll.get(id).flatMap(subscription::page));
  }

  // What the cluster says.

  @Override
  public void connected(Mesos mesos) {
    loop.post(() -> subscription.subscribe(roll.queue().isEmpty()));
  }

  @Override
  public void disconnected(Mesos mesos) {
    loop.post(
        () -> {
          subscription.down();
          held.clear();
          reconciler.stop();
        });
  }

  @Override
  public void received(Mesos mesos, Event event) {
    loop.post(
        () -> {
          switch (event.getType()) {
            case SUBSCRIBED -> {
              subscription.master(event.getSubscribed().getMasterInfo());
              subscribed(event.getSubscribed().getFrameworkId());
            }
            case OFFERS -> offers(event.getOffers().getOffersList());
            case UPDATE ->
                updates
                    .take(event.getUpdate().getStatus())
                    .ifPresent(task -> reconciler.answered(task.id()));
            case RESCIND ->
                held.removeIf(offer -> offer.getId().equals(event.getRescind().getOfferId()));
            case INVERSE_OFFERS ->
                subscription.send(
                    made -> made.acceptInverse(event.getInverseOffers().getInverseOffersList()));
            case FAILURE -> failed(event.getFailure());
            case ERROR -> refused(event.getError().getMessage());
            default -> log.debug("event {}", event.getType());
          }
        });
  }

  /** An agent is gone; what waited for it, or for an even spread, can go elsewhere. */
  private void failed(Event.Failure failure) {
    if (failure.hasAgentId() && !failure.hasExecutorId()) {
      matcher.agents().remove(failure.getAgentId().getValue());
      List<Task> waiting = StreamSupport.stream(roll.queue().spliterator(), false).toList();
      waiting.forEach(this::explain);
      if (!waiting.isEmpty()) {
        revive();
      }
    }
  }

  /** A new framework begins once its name is in the store. A known one has updates coming. */
  private void subscribed(FrameworkID id) {
    if (subscription.named(id)) {
      loop.whenStored(store.setFrameworkId(id.getValue()), this::begin);
    } else {
      begin();
    }
  }

  private void begin() {
    subscription.up();
    listener.cluster(true, "");
    reconciler.start(roll.launched());
    repeatKills();
    revive();
    List<Offer> waiting = List.copyOf(held);
    held.clear();
    offers(waiting);
  }

  /**
   * The master ends our part. Either another server has taken the framework over, and then a new
   * subscription would only take it back, and so on for ever; or the framework is gone for good,
   * and what ran under its name with it.
   */
  private void refused(String message) {
    subscription.down();
    if (message.contains("removed") || message.contains("Completed framework")) {
      log.warn("{}; its tasks are lost, and a new framework begins", message);
      roll.launched()
          .forEach(task -> updates.end(task, TaskStatus.of(TaskState.LOST, message), () -> {}));
      subscription.beginAnew();
    } else if (message.contains("failed over")) {
      listener.cluster(false, message);
      subscription.close();
    } else {
      listener.cluster(false, message);
      var unused =
          loop.executor()
              .schedule(subscription::again, REFUSED_PAUSE.toSeconds(), TimeUnit.SECONDS);
    }
  }

  private void askFor(Collection<Task> unanswered) {
    subscription.send(made -> made.reconcile(unanswered));
  }

  /** A launch can get lost in a master that dies. */
  private void askForTheSilent() {
    Instant longAgo = Instant.now().minus(Upkeep.SILENCE);
    List<Task> silent =
        roll.launched().stream()
            .filter(task -> task.state() == TaskState.STAGING)
            .filter(task -> task.times().submitted().isBefore(longAgo))
            .toList();
    if (!silent.isEmpty()) {
      askFor(silent);
    }
  }

  /** What is not used goes back at once. */
  private void offers(List<Offer> offers) {
    if (!subscription.isUp()) {
      held.addAll(offers);
      return;
    }
    OfferMatcher.Plan plan = matcher.plan(offers);
    plan.launches().forEach(this::launch);
    if (!plan.unused().isEmpty()) {
      matcher.note(
          plan.unused(),
          roll.queue().isEmpty() ? "declined: nothing waits" : "declined: nothing waits that fits");
      List<OfferID> unused = plan.unused().stream().map(Offer::getId).toList();
      subscription.send(made -> made.decline(unused, refuseSeconds()));
    }
    if (roll.queue().isEmpty()) {
      subscription.suppress();
    } else if (plan.news()) {
      StreamSupport.stream(roll.queue().spliterator(), false).toList().forEach(this::explain);
    }
  }

  private double refuseSeconds() {
    return roll.queue().isEmpty() ? IDLE_REFUSE_SECONDS : BUSY_REFUSE_SECONDS;
  }

  /** That a task is about to be launched is stored before it is. */
  private void launch(List<Offer> offers, List<Placement.Placed<Task>> chosen) {
    List<Task> staged = new ArrayList<>();
    for (Placement.Placed<Task> placed : chosen) {
      Task task = placed.task();
      roll.queue().remove(task);
      Task next =
          task.with(task.placing().at(site(offers.get(0), placed.ports())))
              .with(TaskStatus.of(TaskState.STAGING, ""), Instant.now());
      roll.launched(next);
      staged.add(next);
    }
    double refuse = refuseSeconds();
    loop.whenStored(
        store.update(staged),
        () -> {
          List<OfferID> ids = offers.stream().map(Offer::getId).toList();
          OfferedResources offered = new OfferedResources(offers);
          List<TaskInfo> infos =
              staged.stream()
                  .map(task -> TaskInfos.of(task, offered.take(task), secrets.of(task)))
                  .toList();
          var unused =
              subscription
                  .call(made -> made.accept(ids, infos, refuse))
                  .exceptionally(
                      failure -> {
                        loop.post(() -> notLaunched(ids, staged, failure));
                        return null;
                      });
          staged.forEach(listener::status);
          staged.stream().filter(roll::isToKill).forEach(this::kill);
        });
  }

  private Site site(Offer offer, List<Integer> ports) {
    Agent agent = matcher.agents().get(offer.getAgentId().getValue()).orElseThrow();
    return new Site(
        subscription.id().orElseThrow(), agent.id(), agent.hostname(), agent.url(), ports);
  }

  /** The master's own words say why; otherwise it may have heard us, and reconciliation tells. */
  private void notLaunched(List<OfferID> offers, List<Task> staged, Throwable failure) {
    if (failure instanceof IllegalArgumentException) {
      subscription.send(made -> made.decline(offers, 0));
      staged.forEach(task -> updates.notLaunched(task, failure.getMessage()));
    }
  }

  /** Ends the framework's part; tasks go on. A second time changes nothing. */
  @Override
  public void close() {
    if (loop.executor().isShutdown()) {
      return;
    }
    CompletableFuture<Void> done = CompletableFuture.runAsync(subscription::close, loop.executor());
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

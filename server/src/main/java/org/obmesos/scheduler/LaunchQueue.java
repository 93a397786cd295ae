// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.mesos.v1.Protos.ExecutorInfo;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.OfferID;
import org.apache.mesos.v1.Protos.Resource;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.obmesos.driver.MesosResources;
import org.obmesos.sandbox.KeptFiles;
import org.obmesos.store.Store;
import org.obmesos.task.AvailableResources;
import org.obmesos.task.Ports;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskLocation;
import org.obmesos.task.TaskState;

/**
 * Launches queued tasks: matches the tasks whose dependencies have finished with offers, stores the
 * launches, and then accepts the offers. Used on the scheduler thread.
 */
final class LaunchQueue {
  /** The refuse_seconds of a declined offer while no task is queued. */
  private static final double IDLE_REFUSE_SECONDS = 3600;

  /** Its refuse_seconds while tasks are queued that do not fit it. */
  private static final double BUSY_REFUSE_SECONDS = 5;

  private static final Duration REVIVE_DELAY = Duration.ofMillis(50);

  /** When an operation whose commit has failed is tried again. */
  static final Duration RETRY = Duration.ofSeconds(1);

  private final SchedulerExecutor executor;
  private final TransactionQueue transactions;
  private final TaskRegistry registry;
  private final Subscription subscription;
  private final FrameworkOptions options;
  private final FrameworkListener listener;
  private final Secrets secrets;
  private final OfferMatcher matcher;
  private final DependencyTracker dependencies;
  private final ResultReuse reuse;
  private final SessionLaunches sessions;

  /** The offers that are not answered yet. */
  private final List<Offer> offers = new ArrayList<>();

  private int uncommittedLaunches;
  private boolean reviving;
  private boolean revivingSoon;

  /** What the queue works with. */
  record Collaborators(
      SchedulerExecutor executor,
      TransactionQueue transactions,
      TaskRegistry registry,
      Subscription subscription,
      FrameworkListener listener) {}

  LaunchQueue(
      Collaborators with,
      FrameworkOptions options,
      Secrets secrets,
      Store store,
      KeptFiles keptFiles) {
    this.executor = with.executor();
    this.transactions = with.transactions();
    this.registry = with.registry();
    this.subscription = with.subscription();
    this.listener = with.listener();
    this.options = options;
    this.secrets = secrets;
    this.matcher = new OfferMatcher(registry, options.hasRoles(), options.shareLimit());
    this.dependencies = new DependencyTracker(registry);
    this.reuse = new ResultReuse(with, store, keptFiles);
    this.sessions =
        new SessionLaunches(registry, matcher.sessions(), store, options.hasRoles(), this::reject);
  }

  SessionLaunches sessions() {
    return sessions;
  }

  OfferMatcher matcher() {
    return matcher;
  }

  /** Queues tasks for offers, or holds them back until their dependencies have ended. */
  void admit(Collection<Task> tasks) {
    List<Task> queued = new ArrayList<>();
    for (Task task : tasks) {
      Optional<String> never =
          dependencies
              .failed(task)
              .or(() -> options.limits().flatMap(it -> it.rejectionReason(task.block())));
      Optional<String> unmet = dependencies.unmet(task).or(() -> secrets.missing(task));
      if (never.isPresent()) {
        reject(task.id(), "The task " + never.get());
      } else if (unmet.isPresent()) {
        setPendingReason(task, unmet.get());
      } else if (reuse.mayLaunch(task, () -> admitAgain(task))) {
        registry.enqueue(task);
        requireRole(task);
        queued.add(task);
      }
    }
    if (!queued.isEmpty()) {
      setPendingReasons(matcher.shortages(queued));
      revive();
    }
  }

  /** Subscribes with the role that a task needs, which can be that of its session. */
  void requireRole(Task task) {
    subscription.requireRole(task.block().resources().gpus() > 0, role(task));
  }

  private String role(Task task) {
    return matcher.sessions().role(task).orElse(task.block().requirements().role());
  }

  /** Ends the tasks that wait for an offer in roles that the master has refused. */
  void refuseRoles(Set<String> roles, String message) {
    registry.live().stream()
        .filter(task -> task.state() == TaskState.QUEUED && roles.contains(role(task)))
        .forEach(task -> reject(task.id(), message));
  }

  /** Queues a task that waits for another launch, if it still does. */
  void admitAgain(Task task) {
    matcher.sessions().launchedInVain(task);
    registry
        .live(task.id())
        .filter(now -> now.state() == TaskState.QUEUED)
        .filter(now -> now.launch().attempt() == task.launch().attempt())
        .ifPresent(now -> admit(List.of(now)));
  }

  /** Queues what waited for a task that has ended. */
  void ended(Task task) {
    reuse.forget(task.id());
    admit(dependencies.release(task.id()));
    if (task.block().session().isPresent() && !task.launch().location().isNone()) {
      if (matcher.sessions().ended(task)) {
        sessions.ended(task.block().session().get().name(), "with the block " + task.id());
      } else {
        setPendingReasons(matcher.shortages(registry.queue()));
        revive();
      }
    }
    if (task.block().runPolicy().limit() > 0) {
      // What this task has left was declined while the limit held the others back.
      revive();
    }
    boolean constrained =
        registry.queue().stream()
            .anyMatch(
                waiting ->
                    !waiting.block().requirements().constraints().isEmpty()
                        && waiting.block().origin().isPeerOf(task.block().origin()));
    if (constrained) {
      setPendingReasons(matcher.shortages(registry.queue()));
      revive();
    }
    reviveSoon();
  }

  /**
   * Asks for what ended tasks have left, once for those that end at about the same time: a master
   * offers it by itself only with its next allocation, after a second by default.
   */
  private void reviveSoon() {
    if (options.hasRoles() && !revivingSoon && !registry.queue().isEmpty()) {
      revivingSoon = true;
      var unused =
          executor.schedule(
              REVIVE_DELAY,
              () -> {
                revivingSoon = false;
                revive();
              });
    }
  }

  private void reject(TaskId id, String message) {
    transactions.submit(
        new TransactionQueue.Operation() {
          @Override
          public void prepare(Draft draft) {
            draft.apply(id, new TaskEvent.Reject(message));
          }

          @Override
          public void failed(RuntimeException cause) {
            var unused = executor.schedule(RETRY, () -> reject(id, message));
          }
        });
  }

  private void setPendingReasons(Map<Task, String> reasons) {
    reasons.forEach(this::setPendingReason);
  }

  private void setPendingReason(Task task, String reason) {
    if (registry.setPendingReason(task.id(), reason)) {
      listener.status(registry.view(task));
    }
  }

  /** Sets why there are no offers for queued tasks, unless they wait for something else. */
  void explainIdleCluster() {
    if (!subscription.isUp()) {
      return;
    }
    boolean noAgents = matcher.agents().list().isEmpty();
    for (Task task : registry.queue()) {
      if (noAgents) {
        setPendingReason(task, "waits for an offer: no agent has made one yet");
      } else if (!registry.hasPendingReason(task.id())) {
        setPendingReason(task, "waits for an offer: no agent makes one now");
      }
    }
  }

  /** Asks for offers, once for all tasks that are queued in this turn of the thread. */
  void revive() {
    if (!reviving) {
      reviving = true;
      executor.execute(
          () -> {
            reviving = false;
            if (!registry.queue().isEmpty()) {
              subscription.revive();
            }
          });
    }
  }

  /** The master has removed an agent. */
  void agentRemoved(String id) {
    matcher.agents().remove(id);
    sessions.agentRemoved(id);
    match();
    if (!registry.queue().isEmpty()) {
      setPendingReasons(matcher.shortages(registry.queue()));
      revive();
    }
  }

  /** The scheduler is subscribed as the framework with the given id. */
  void subscribedAs(String id) {
    sessions.subscribedAs(id);
  }

  /** An executor has ended. The task that it ran gets a status of its own. */
  void executorEnded(String id) {
    matcher.executors().ended(id);
    sessions.executorEnded(id);
    match();
  }

  void add(List<Offer> newOffers) {
    offers.addAll(newOffers);
    newOffers.stream()
        .flatMap(offer -> sessions.takeAbandonedOn(offer.getAgentId().getValue()).stream())
        .forEach(location -> subscription.send(calls -> calls.shutdown(location)));
    match();
  }

  void rescind(OfferID id) {
    offers.removeIf(offer -> offer.getId().equals(id));
  }

  /** Offers are gone with the connection they came over. */
  void disconnected() {
    offers.clear();
  }

  /**
   * Answers the offers. Waits while a launch is being committed, since constraints have to see it.
   */
  void match() {
    if (!subscription.isUp() || uncommittedLaunches > 0) {
      return;
    }
    sessions.rejectTasksOfLost();
    if (offers.isEmpty()) {
      return;
    }
    List<Offer> answered = List.copyOf(offers);
    offers.clear();
    OfferMatcher.Plan plan = matcher.plan(answered);
    plan.launches().forEach(this::launch);
    if (!plan.unused().isEmpty()) {
      decline(
          plan.unused(),
          registry.queue().isEmpty()
              ? "declined: no task is queued"
              : "declined: no queued task fits");
    }
    if (registry.queue().isEmpty()) {
      subscription.suppress();
    } else if (plan.news()) {
      setPendingReasons(matcher.shortages(registry.queue()));
    }
  }

  private void decline(List<Offer> declined, String outcome) {
    matcher.note(declined, outcome);
    double seconds = refuseSeconds();
    subscription.send(calls -> calls.decline(ids(declined), seconds));
  }

  private static List<OfferID> ids(List<Offer> offers) {
    return offers.stream().map(Offer::getId).toList();
  }

  private double refuseSeconds() {
    return registry.queue().isEmpty() ? IDLE_REFUSE_SECONDS : BUSY_REFUSE_SECONDS;
  }

  private void launch(List<Offer> accepted, List<Placement.Placed<Task>> tasks) {
    tasks.forEach(placed -> registry.dequeue(placed.task()));
    uncommittedLaunches++;
    transactions.submitFirst(new Launch(accepted, tasks));
  }

  /** Launches tasks on offers of one agent: stores that they are STAGING, then accepts. */
  private final class Launch implements TransactionQueue.Operation {
    private final List<Offer> accepted;
    private final List<Placement.Placed<Task>> tasks;
    private final List<TaskId> staged = new ArrayList<>();
    private final List<ExecutorInfo> executors = new ArrayList<>();

    /** The resources of the offers that no executor of a session has taken. */
    private final List<Resource> left = new ArrayList<>();

    Launch(List<Offer> accepted, List<Placement.Placed<Task>> tasks) {
      this.accepted = accepted;
      this.tasks = tasks;
      accepted.forEach(offer -> left.addAll(offer.getResourcesList()));
    }

    @Override
    public void prepare(Draft draft) {
      for (Placement.Placed<Task> placed : tasks) {
        TaskId id = placed.task().id();
        if (draft.live(id).filter(task -> task.state() == TaskState.QUEUED).isPresent()) {
          TaskLocation location = location(placed);
          draft.apply(id, new TaskEvent.Launch(location, reuse.key(id)));
          staged.add(id);
          if (placed.task().block().session().isPresent()) {
            sessions
                .describe(placed.task(), location, accepted.get(0), left)
                .ifPresent(executors::add);
          }
        }
      }
      executors.forEach(draft::putExecutor);
    }

    private TaskLocation location(Placement.Placed<Task> placed) {
      Agent agent = matcher.agents().get(accepted.get(0).getAgentId().getValue()).orElseThrow();
      return new TaskLocation(
          subscription.id().orElseThrow(),
          agent.id(),
          agent.hostname(),
          agent.url(),
          placed.ports(),
          executorId(placed));
    }

    private String executorId(Placement.Placed<Task> placed) {
      if (placed.task().block().session().isPresent()) {
        return matcher.sessions().assign(placed.task());
      }
      return placed.shares()
          ? matcher.executors().assign(Allocation.of(accepted.get(0)), accepted)
          : "";
    }

    @Override
    public void committed() {
      uncommittedLaunches--;
      List<Task> launched =
          staged.stream()
              .flatMap(id -> registry.live(id).stream())
              .filter(task -> task.state() == TaskState.STAGING)
              .toList();
      if (launched.isEmpty()) {
        decline(accepted, "declined: the task was killed");
        return;
      }
      matcher.noteLaunch(accepted, launched);
      executors.forEach(matcher.sessions()::put);
      accept(ids(accepted), launched, left);
      setPendingReasons(
          matcher.shortages(
              registry.queue().stream()
                  .filter(task -> !task.block().requirements().constraints().isEmpty())
                  .toList()));
    }

    @Override
    public void failed(RuntimeException cause) {
      uncommittedLaunches--;
      decline(accepted, "declined: the launch could not be stored");
      var unused =
          executor.schedule(RETRY, () -> tasks.forEach(placed -> admitAgain(placed.task())));
    }
  }

  private void accept(List<OfferID> ids, List<Task> tasks, List<Resource> left) {
    List<TaskInfo> infos = new ArrayList<>();
    for (Task task : tasks) {
      Ports ports =
          task.block().fixedPorts().plus(Ports.ofNumbers(task.launch().location().ports()));
      String executorId = task.launch().location().executorId();
      boolean session = Sessions.isSession(executorId);
      AvailableResources needed =
          new AvailableResources(
              session ? matcher.sessions().ofTask(task) : task.block().resources(), ports);
      List<Resource> taken = MesosResources.take(left, needed);
      if (executorId.isEmpty()) {
        infos.add(TaskInfos.of(task, taken, secrets.get(task), !options.hasRoles()));
      } else if (session) {
        infos.add(sessions.info(task, taken));
      } else {
        infos.add(TaskInfos.shared(task, taken, executor(task, left)));
      }
    }
    double seconds = refuseSeconds();
    var unused =
        subscription
            .call(calls -> calls.accept(ids, infos, seconds))
            .exceptionally(
                failure -> {
                  executor.execute(() -> refused(ids, tasks, failure));
                  return null;
                });
  }

  private ExecutorInfo executor(Task task, List<Resource> left) {
    TaskLocation location = task.launch().location();
    return matcher
        .executors()
        .info(
            location.executorId(),
            FrameworkID.newBuilder().setValue(location.frameworkId()).build(),
            matcher.executors().isNew(location.executorId())
                ? MesosResources.take(left, SharedExecutors.OVERHEAD)
                : List.of());
  }

  /**
   * If the master has refused the call, the tasks were not launched. After any other failure they
   * may have been, and reconciliation tells.
   */
  private void refused(List<OfferID> ids, List<Task> tasks, Throwable failure) {
    if (failure instanceof IllegalArgumentException) {
      subscription.send(calls -> calls.decline(ids, 0));
      tasks.forEach(task -> launchRefused(task, failure.getMessage()));
    }
  }

  private void launchRefused(Task task, String message) {
    transactions.submit(
        new TransactionQueue.Operation() {
          @Override
          public void prepare(Draft draft) {
            if (draft
                .live(task.id())
                .filter(now -> now.mesosTaskId().equals(task.mesosTaskId()))
                .isPresent()) {
              draft.apply(task.id(), new TaskEvent.LaunchRefused(message));
            }
          }

          @Override
          public void failed(RuntimeException cause) {
            var unused = executor.schedule(RETRY, () -> launchRefused(task, message));
          }
        });
  }
}

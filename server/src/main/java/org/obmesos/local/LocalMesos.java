// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.ExecutorID;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.MasterInfo;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.OfferID;
import org.apache.mesos.v1.Protos.Resource;
import org.apache.mesos.v1.Protos.TaskID;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.apache.mesos.v1.Protos.TaskState;
import org.apache.mesos.v1.Protos.TaskStatus;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.obmesos.driver.MesosResources;
import org.obmesos.driver.SchedulerDriver;
import org.obmesos.task.AvailableResources;
import org.obmesos.util.NamedExecutors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The embedded cluster: a master with the calls and events of a real one, and one agent, this
 * machine ({@link LocalAgent}). One thread owns the state of both and calls the scheduler.
 */
public final class LocalMesos implements SchedulerDriver {
  private static final Logger log = LoggerFactory.getLogger(LocalMesos.class);
  private static final String ROLE = "*";
  private static final double HEARTBEAT_SECONDS = 15;
  private static final double DEFAULT_REFUSE_SECONDS = 5;
  private static final Duration GARBAGE_INTERVAL = Duration.ofHours(1);
  private final Scheduler scheduler;
  private final Allocator allocator;
  private final ScheduledThreadPoolExecutor thread;
  private final LocalAgent agent;

  private String masterId = "";
  private String hostname = "localhost";
  private Optional<FrameworkID> framework = Optional.empty();
  private long offerCount;
  private int frameworkCount;
  private boolean opened;
  private boolean allocating;

  /** Creates a cluster; {@link #start} starts it. */
  public LocalMesos(Scheduler scheduler, LocalOptions options) {
    this.scheduler = scheduler;
    this.allocator = new Allocator(new AvailableResources(options.capacity(), LocalOptions.PORTS));
    this.thread = NamedExecutors.single("local-cluster");
    this.agent =
        new LocalAgent(
            options,
            thread,
            this::schedule,
            allocator,
            new LocalAgent.Listener() {
              @Override
              public void update(TaskStatus status) {
                sendUpdate(status);
              }

              @Override
              public void sessionEnded(String executorId) {
                sendExecutorEnded(executorId);
              }

              @Override
              public void released() {
                allocateSoon();
              }
            });
  }

  @Override
  public void start() {
    execute(this::open);
  }

  private void open() {
    try {
      agent.open();
      masterId = agent.work().masterId();
      frameworkCount = agent.work().frameworkCount();
      hostname = LocalOptions.hostname();
    } catch (IOException e) {
      log.error("the embedded cluster cannot start", e);
      send(
          Event.newBuilder()
              .setType(Event.Type.ERROR)
              .setError(
                  Event.Error.newBuilder().setMessage("the embedded cluster cannot start: " + e)));
      return;
    }
    opened = true;
    agent.start();
    var unusedHeartbeats =
        thread.scheduleAtFixedRate(
            guarded(this::heartbeat),
            15_000,
            (long) (HEARTBEAT_SECONDS * 1000),
            TimeUnit.MILLISECONDS);
    var unusedCleaning =
        thread.scheduleWithFixedDelay(
            guarded(agent::collectGarbage), 10, GARBAGE_INTERVAL.toSeconds(), TimeUnit.SECONDS);
    scheduler.connected(this);
  }

  private void execute(Runnable work) {
    schedule(0, work);
  }

  /** Runs a job on the cluster's thread. After the end of the cluster it is dropped. */
  private void schedule(long millis, Runnable work) {
    try {
      var unused = thread.schedule(guarded(work), millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      log.debug("the embedded cluster has ended", e);
    }
  }

  /** Logs an exception, which must not end a repeated job. */
  private static Runnable guarded(Runnable work) {
    return () -> {
      try {
        work.run();
      } catch (RuntimeException e) {
        log.error("unexpected exception in the embedded cluster", e);
      }
    };
  }

  @Override
  public CompletableFuture<Void> call(Call call) {
    CompletableFuture<Void> answer = new CompletableFuture<>();
    try {
      thread.execute(
          () -> {
            try {
              handle(call);
              answer.complete(null);
            } catch (RuntimeException e) {
              answer.completeExceptionally(e);
            }
          });
    } catch (RejectedExecutionException e) {
      answer.completeExceptionally(new IllegalStateException("the embedded cluster is closed", e));
    }
    return answer;
  }

  @Override
  public void reconnect() {
    execute(
        () -> {
          disconnect();
          scheduler.disconnected(this);
          if (opened) {
            scheduler.connected(this);
          } else {
            open();
          }
        });
  }

  private void disconnect() {
    framework = Optional.empty();
    allocator.withdrawAll();
    agent.tasks().forEach(task -> task.updates().stop());
  }

  private void handle(Call call) {
    if (call.getType() != Call.Type.SUBSCRIBE
        && !framework.equals(Optional.of(call.getFrameworkId()))) {
      throw new IllegalArgumentException("Framework is not subscribed");
    }
    switch (call.getType()) {
      case SUBSCRIBE -> subscribe(call.getSubscribe());
      case ACCEPT -> accept(call.getAccept());
      case DECLINE -> decline(call.getDecline());
      case REVIVE -> {
        allocator.revive();
        allocate();
      }
      case SUPPRESS -> allocator.suppress();
      case KILL -> kill(call.getKill().getTaskId());
      case ACKNOWLEDGE -> agent.acknowledge(call.getAcknowledge());
      case RECONCILE -> reconcile(call.getReconcile());
      case SHUTDOWN -> agent.endSession(call.getShutdown().getExecutorId().getValue());
      case TEARDOWN -> teardown();
      default ->
          throw new IllegalArgumentException(
              "the embedded cluster does not support the call " + call.getType());
    }
  }

  private void subscribe(Call.Subscribe subscribe) {
    String proposed = subscribe.getFrameworkInfo().getId().getValue();
    FrameworkID id =
        FrameworkID.newBuilder()
            .setValue(
                proposed.isEmpty()
                    ? String.format(Locale.ROOT, "%s-%04d", masterId, frameworkCount++)
                    : proposed)
            .build();
    framework = Optional.of(id);
    allocator.withdrawAll();
    allocator.revive();
    if (subscribe.getSuppressedRolesCount() > 0) {
      allocator.suppress();
    }
    send(
        Event.newBuilder()
            .setType(Event.Type.SUBSCRIBED)
            .setSubscribed(
                Event.Subscribed.newBuilder()
                    .setFrameworkId(id)
                    .setHeartbeatIntervalSeconds(HEARTBEAT_SECONDS)
                    .setMasterInfo(
                        MasterInfo.newBuilder()
                            .setId(masterId)
                            .setIp(0x0100007f)
                            .setPort(0)
                            .setHostname(hostname))));
    heartbeat();
    agent.tasks().forEach(task -> task.updates().resend());
    agent.endedSessions().forEach(this::sendExecutorEnded);
    allocate();
  }

  private void send(Event.Builder event) {
    scheduler.received(this, event.build());
  }

  private void sendUpdate(TaskStatus status) {
    if (framework.isPresent()) {
      send(
          Event.newBuilder()
              .setType(Event.Type.UPDATE)
              .setUpdate(Event.Update.newBuilder().setStatus(status)));
    }
  }

  /** Tells, as a master does, that an executor has ended. */
  private void sendExecutorEnded(String id) {
    if (framework.isPresent()) {
      send(
          Event.newBuilder()
              .setType(Event.Type.FAILURE)
              .setFailure(
                  Event.Failure.newBuilder()
                      .setAgentId(agentId())
                      .setExecutorId(ExecutorID.newBuilder().setValue(id))));
    }
  }

  private void heartbeat() {
    if (framework.isPresent()) {
      send(Event.newBuilder().setType(Event.Type.HEARTBEAT));
    }
  }

  private AgentID agentId() {
    return AgentID.newBuilder().setValue(masterId + "-S0").build();
  }

  /** Makes one offer of what several tasks have released that end at about the same time. */
  private void allocateSoon() {
    if (!allocating) {
      allocating = true;
      execute(
          () -> {
            allocating = false;
            allocate();
          });
    }
  }

  private void allocate() {
    if (framework.isEmpty()) {
      return;
    }
    allocator
        .offerable(Instant.now())
        .ifPresent(
            free -> {
              String offerId = masterId + "-O" + offerCount++;
              allocator.offered(offerId, free);
              Offer offer =
                  Offer.newBuilder()
                      .setId(OfferID.newBuilder().setValue(offerId))
                      .setFrameworkId(framework.get())
                      .setAgentId(agentId())
                      .setHostname(hostname)
                      .addAllResources(MesosResources.list(free, ROLE))
                      .setAllocationInfo(Resource.AllocationInfo.newBuilder().setRole(ROLE))
                      .build();
              send(
                  Event.newBuilder()
                      .setType(Event.Type.OFFERS)
                      .setOffers(Event.Offers.newBuilder().addOffers(offer)));
            });
  }

  private void accept(Call.Accept accept) {
    List<TaskInfo> infos = new ArrayList<>();
    accept
        .getOperationsList()
        .forEach(operation -> infos.addAll(operation.getLaunch().getTaskInfosList()));
    Optional<OfferID> stale =
        accept.getOfferIdsList().stream()
            .filter(offer -> !allocator.isOutstanding(offer.getValue()))
            .findFirst();
    AvailableResources offered = AvailableResources.NONE;
    for (OfferID offer : accept.getOfferIdsList()) {
      if (allocator.isOutstanding(offer.getValue())) {
        offered = offered.plus(allocator.withdraw(offer.getValue()));
      }
    }
    if (stale.isPresent()) {
      String why =
          "Task launched with invalid offers: Offer "
              + stale.get().getValue()
              + " is no longer valid";
      infos.forEach(
          info ->
              refuse(info, TaskState.TASK_DROPPED, TaskStatus.Reason.REASON_INVALID_OFFERS, why));
    } else {
      offered = launchAll(infos, offered);
    }
    allocator.refuse(offered, refusal(accept.getFilters()), Instant.now());
    allocate();
    scheduleAllocation(refusal(accept.getFilters()));
  }

  /** Launches the tasks that fit; returns what is left of the offers. */
  private AvailableResources launchAll(List<TaskInfo> infos, AvailableResources offered) {
    AvailableResources left = offered;
    for (TaskInfo info : infos) {
      AvailableResources wanted = MesosResources.available(info.getResourcesList());
      if (agent.task(info.getTaskId()).isPresent()) {
        refuse(
            info,
            TaskState.TASK_ERROR,
            TaskStatus.Reason.REASON_TASK_INVALID,
            "Task has duplicate ID: " + info.getTaskId().getValue());
      } else if (!left.contains(wanted)) {
        refuse(
            info,
            TaskState.TASK_ERROR,
            TaskStatus.Reason.REASON_TASK_INVALID,
            "Total resources "
                + MesosResources.describe(info.getResourcesList())
                + " required by task and its executor is more than available "
                + MesosResources.describe(MesosResources.list(left, ROLE)));
      } else {
        left = left.minus(wanted);
        agent.launch(framework.orElseThrow(), info);
      }
    }
    return left;
  }

  private static Duration refusal(org.apache.mesos.v1.Protos.Filters filters) {
    double seconds =
        filters.hasRefuseSeconds() ? filters.getRefuseSeconds() : DEFAULT_REFUSE_SECONDS;
    return Duration.ofMillis((long) (seconds * 1000));
  }

  private void scheduleAllocation(Duration after) {
    if (!after.isZero() && !after.isNegative()) {
      var unused =
          thread.schedule(guarded(this::allocate), after.toMillis() + 1, TimeUnit.MILLISECONDS);
    }
  }

  /** Sends an update of the master, which is not repeated and not acknowledged. */
  private void refuse(TaskInfo info, TaskState state, TaskStatus.Reason reason, String message) {
    sendUpdate(
        TaskStatus.newBuilder()
            .setTaskId(info.getTaskId())
            .setState(state)
            .setSource(TaskStatus.Source.SOURCE_MASTER)
            .setReason(reason)
            .setMessage(message)
            .setAgentId(info.getAgentId())
            .setTimestamp(System.currentTimeMillis() / 1000.0)
            .build());
  }

  private void decline(Call.Decline decline) {
    AvailableResources refused = AvailableResources.NONE;
    for (OfferID offer : decline.getOfferIdsList()) {
      if (allocator.isOutstanding(offer.getValue())) {
        refused = refused.plus(allocator.withdraw(offer.getValue()));
      }
    }
    Duration refusal = refusal(decline.getFilters());
    allocator.refuse(refused, refusal, Instant.now());
    scheduleAllocation(refusal);
  }

  private void kill(TaskID id) {
    agent.task(id).ifPresentOrElse(agent::kill, () -> sendUpdate(unknown(id, Optional.empty())));
  }

  private void reconcile(Call.Reconcile reconcile) {
    if (reconcile.getTasksCount() == 0) {
      agent.tasks().stream().filter(task -> !task.hasEnded()).forEach(this::answer);
    }
    for (Call.Reconcile.Task asked : reconcile.getTasksList()) {
      agent
          .task(asked.getTaskId())
          .ifPresentOrElse(
              this::answer,
              () ->
                  sendUpdate(
                      unknown(
                          asked.getTaskId(),
                          asked.hasAgentId()
                              ? Optional.of(asked.getAgentId())
                              : Optional.empty())));
    }
  }

  /** A master is not ahead of the updates: it tells the state of the first that is pending. */
  private void answer(LocalTask task) {
    sendUpdate(
        task.status(task.updates().first().map(TaskStatus::getState).orElse(task.state()))
            .setSource(TaskStatus.Source.SOURCE_MASTER)
            .setReason(TaskStatus.Reason.REASON_RECONCILIATION)
            .setMessage("Reconciliation: Latest task state")
            .build());
  }

  /** Returns the answer to a reconciliation of a task that is not known, as a master gives it. */
  private TaskStatus unknown(TaskID id, Optional<AgentID> agent) {
    boolean registered = agent.filter(agentId()::equals).isPresent();
    TaskStatus.Builder status =
        TaskStatus.newBuilder()
            .setTaskId(id)
            .setState(registered ? TaskState.TASK_GONE : TaskState.TASK_UNKNOWN)
            .setSource(TaskStatus.Source.SOURCE_MASTER)
            .setReason(TaskStatus.Reason.REASON_RECONCILIATION)
            .setMessage(
                registered
                    ? "Reconciliation: Task is unknown to the agent"
                    : "Reconciliation: Task is unknown")
            .setTimestamp(System.currentTimeMillis() / 1000.0);
    agent.ifPresent(status::setAgentId);
    return status.build();
  }

  private void teardown() {
    agent.tasks().forEach(agent::kill);
    agent.endSession("");
    disconnect();
    scheduler.disconnected(this);
  }

  /** Closes the cluster. Tasks go on; the next cluster in this directory finds them. */
  @Override
  public void close() {
    agent.stopHealthChecks();
    // Calls that came before, such as a kill, are carried out. A shutdown drops what is queued.
    CountDownLatch before = new CountDownLatch(1);
    execute(before::countDown);
    try {
      if (!before.await(2, TimeUnit.SECONDS)) {
        log.warn("the embedded cluster did not end in time");
      }
      thread.shutdown();
      boolean ended = thread.awaitTermination(2, TimeUnit.SECONDS);
      if (!agent.close() || !ended) {
        log.warn("the embedded cluster did not end in time");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

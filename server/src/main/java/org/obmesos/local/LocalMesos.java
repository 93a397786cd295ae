// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.mesos.v1.Protos.AgentID;
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
import org.obmesos.driver.Threads;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The embedded one-machine cluster, behind the seam of a real one. One thread owns its state and
 * calls the scheduler; starting a process waits for the kernel and is done on two others.
 */
public final class LocalMesos implements SchedulerDriver {
  private static final Logger log = LoggerFactory.getLogger(LocalMesos.class);
  private static final String ROLE = "*";
  private static final double HEARTBEAT_SECONDS = 15;
  private static final double DEFAULT_REFUSE_SECONDS = 5;
  private static final Duration GARBAGE_INTERVAL = Duration.ofHours(1);
  private final Scheduler scheduler;
  private final LocalOptions options;
  private final Allocator allocator;
  private final ScheduledThreadPoolExecutor loop;
  private final Launches launches;
  private final HealthChecks health;
  private final Map<String, LocalTask> tasks = new LinkedHashMap<>();

  private WorkDirectory work;
  private Launcher launcher;
  private String masterId = "";
  private String hostname = "localhost";
  private Optional<FrameworkID> framework = Optional.empty();
  private long offerCount;
  private int frameworkCount;

  /** Makes a cluster that is not there yet: see {@link #start}. */
  public LocalMesos(Scheduler scheduler, LocalOptions options) {
    this.scheduler = scheduler;
    this.options = options;
    this.allocator = new Allocator(new Amount(options.capacity(), LocalOptions.PORTS));
    this.loop = Threads.one("local-cluster");
    this.launches = new Launches(this::execute, new Outcome());
    this.health = new HealthChecks(this::after);
  }

  @Override
  public void start() {
    execute(this::begin);
  }

  private void begin() {
    try {
      work = new WorkDirectory(options.workDirectory());
      launcher = new Launcher(work, options.workDirectory());
      masterId = work.masterId();
      frameworkCount = work.frameworkCount();
      hostname = LocalOptions.hostname();
      for (WorkDirectory.Checkpoint checkpoint : work.checkpoints()) {
        recover(checkpoint);
      }
    } catch (IOException e) {
      log.error("the embedded cluster cannot start", e);
      send(
          Event.newBuilder()
              .setType(Event.Type.ERROR)
              .setError(
                  Event.Error.newBuilder().setMessage("the embedded cluster cannot start: " + e)));
      return;
    }
    var unusedHeartbeats =
        loop.scheduleAtFixedRate(
            guarded(this::heartbeat),
            15_000,
            (long) (HEARTBEAT_SECONDS * 1000),
            TimeUnit.MILLISECONDS);
    var unusedCleaning =
        loop.scheduleWithFixedDelay(
            guarded(this::collectGarbage), 10, GARBAGE_INTERVAL.toSeconds(), TimeUnit.SECONDS);
    scheduler.connected(this);
  }

  /** An agent that starts again looks for the tasks it had. */
  private void recover(WorkDirectory.Checkpoint checkpoint) throws IOException {
    LocalTask task = add(checkpoint.task());
    Optional<ProcessHandle> supervisor = launcher.find(task.id());
    if (supervisor.isPresent()) {
      log.info("task {} goes on", task.id());
      task.supervisedBy(supervisor.get());
      task.update(task.status(TaskState.TASK_RUNNING));
      watch(task, supervisor.get());
    } else if (work.supervisor(task.id()).isPresent()) {
      ended(task);
    } else {
      log.info("task {} was never started", task.id());
      remove(task);
      allocator.release(task.amount());
    }
  }

  private LocalTask add(TaskInfo info) {
    LocalTask task = new LocalTask(info, new StatusStream(loop, this::sendUpdate));
    tasks.put(task.id(), task);
    allocator.use(task.amount());
    return task;
  }

  private void execute(Runnable work) {
    after(0, work);
  }

  /** What comes too late, from a thread that did not know of the end, is of no use to anybody. */
  private void after(long millis, Runnable work) {
    try {
      var unused = loop.schedule(guarded(work), millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      log.debug("the embedded cluster has ended", e);
    }
  }

  /** A fault in one step is logged and must not end the thread that makes all others. */
  private static Runnable guarded(Runnable work) {
    return () -> {
      try {
        work.run();
      } catch (RuntimeException e) {
        log.error("the embedded cluster met a fault", e);
      }
    };
  }

  @Override
  public CompletableFuture<Void> call(Call call) {
    CompletableFuture<Void> answer = new CompletableFuture<>();
    try {
      loop.execute(
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
          scheduler.connected(this);
        });
  }

  private void disconnect() {
    framework = Optional.empty();
    allocator.withdrawAll();
    tasks.values().forEach(task -> task.updates().stop());
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
      case ACKNOWLEDGE -> acknowledge(call.getAcknowledge());
      case RECONCILE -> reconcile(call.getReconcile());
      case TEARDOWN -> teardown();
      default ->
          throw new IllegalArgumentException(
              "the embedded cluster does not know the call " + call.getType());
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
    tasks.values().forEach(task -> task.updates().resend());
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

  private void heartbeat() {
    if (framework.isPresent()) {
      send(Event.newBuilder().setType(Event.Type.HEARTBEAT));
    }
  }

  private AgentID agentId() {
    return AgentID.newBuilder().setValue(masterId + "-S0").build();
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
                      .addAllResources(free.resources(ROLE))
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
    Amount offered = Amount.NONE;
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

  /** Launches what fits and returns what is left. */
  private Amount launchAll(List<TaskInfo> infos, Amount offered) {
    Amount left = offered;
    for (TaskInfo info : infos) {
      Amount wanted = new LocalTask(info, new StatusStream(loop, this::sendUpdate)).amount();
      if (tasks.containsKey(info.getTaskId().getValue())) {
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
                + MesosResources.describe(left.resources(ROLE)));
      } else {
        left = left.minus(wanted);
        launch(info);
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
          loop.schedule(guarded(this::allocate), after.toMillis() + 1, TimeUnit.MILLISECONDS);
    }
  }

  /** A word from the master, which is not repeated and not acknowledged. */
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

  private void launch(TaskInfo info) {
    launches.begin(launcher, framework.orElseThrow().getValue(), add(info));
  }

  private final class Outcome implements Launches.Outcome {
    @Override
    public void started(LocalTask task, Process process) {
      task.supervisedBy(process.toHandle());
      task.update(task.status(TaskState.TASK_STARTING));
      task.update(task.status(TaskState.TASK_RUNNING));
      if (task.isKillRequested()) {
        task.update(task.status(TaskState.TASK_KILLING));
      }
      watch(task, process.toHandle());
    }

    @Override
    public void notStarted(LocalTask task, IOException why) {
      end(
          task,
          task.status(TaskState.TASK_FAILED)
              .setSource(TaskStatus.Source.SOURCE_AGENT)
              .setReason(TaskStatus.Reason.REASON_CONTAINER_LAUNCH_FAILED)
              .setMessage("Failed to launch container: " + why.getMessage()));
    }
  }

  private void check(LocalTask task) {
    if (task.info().hasHealthCheck()) {
      health.begin(task.info().getHealthCheck(), new Patient(task));
    }
  }

  /** A task whose health is looked at. */
  private final class Patient implements HealthChecks.Patient {
    private final LocalTask task;

    Patient(LocalTask task) {
      this.task = task;
    }

    @Override
    public boolean lives() {
      return !task.hasEnded() && !task.isKillRequested();
    }

    @Override
    public void seen(boolean healthy) {
      task.healthy(healthy);
      task.update(
          task.status(TaskState.TASK_RUNNING)
              .setReason(TaskStatus.Reason.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED));
    }

    @Override
    public void givenUp() {
      task.giveUp();
      task.update(task.status(TaskState.TASK_KILLING));
    }

    @Override
    public ProcessBuilder process(String command) throws IOException {
      return launcher.beside(task.info(), work.sandboxOf(task.id()), command);
    }
  }

  private void watch(LocalTask task, ProcessHandle supervisor) {
    check(task);
    var unused = supervisor.onExit().thenRun(() -> execute(() -> ended(task)));
  }

  private void ended(LocalTask task) {
    try {
      end(task, task.ended(work.exit(task.id())));
    } catch (IOException e) {
      log.warn("cannot read how task {} ended", task.id(), e);
      end(task, task.ended(Optional.empty()));
    }
  }

  private void end(LocalTask task, TaskStatus.Builder last) {
    if (!task.hasEnded()) {
      task.update(last);
      allocator.release(task.amount());
      allocate();
    }
  }

  private void decline(Call.Decline decline) {
    Amount refused = Amount.NONE;
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
    LocalTask task = tasks.get(id.getValue());
    if (task == null) {
      sendUpdate(unknown(id));
    } else if (task.cancelFetch()) {
      end(
          task,
          task.status(TaskState.TASK_KILLED).setMessage("Killed while its files were fetched"));
    } else if (!task.hasEnded() && !task.isKillRequested()) {
      task.kill();
      if (task.supervisor().isPresent()) {
        task.update(task.status(TaskState.TASK_KILLING));
      }
    }
  }

  private void acknowledge(Call.Acknowledge acknowledge) {
    LocalTask task = tasks.get(acknowledge.getTaskId().getValue());
    if (task == null) {
      return;
    }
    Optional<TaskStatus> done = task.updates().acknowledge(acknowledge.getUuid());
    boolean last = done.map(status -> status.getState() == task.state()).orElse(false);
    if (last && task.hasEnded()) {
      remove(task);
    }
  }

  private void remove(LocalTask task) {
    task.updates().stop();
    tasks.remove(task.id());
    try {
      work.forget(task.id());
    } catch (IOException e) {
      log.warn("cannot remove what was kept of task {}", task.id(), e);
    }
  }

  private void reconcile(Call.Reconcile reconcile) {
    if (reconcile.getTasksCount() == 0) {
      tasks.values().stream().filter(task -> !task.hasEnded()).forEach(this::answer);
    }
    for (Call.Reconcile.Task asked : reconcile.getTasksList()) {
      LocalTask task = tasks.get(asked.getTaskId().getValue());
      if (task == null) {
        sendUpdate(unknown(asked.getTaskId()));
      } else {
        answer(task);
      }
    }
  }

  private void answer(LocalTask task) {
    sendUpdate(
        task.status(task.state())
            .setSource(TaskStatus.Source.SOURCE_MASTER)
            .setReason(TaskStatus.Reason.REASON_RECONCILIATION)
            .setMessage("Reconciliation: Latest task state")
            .build());
  }

  private static TaskStatus unknown(TaskID id) {
    return TaskStatus.newBuilder()
        .setTaskId(id)
        .setState(TaskState.TASK_UNKNOWN)
        .setSource(TaskStatus.Source.SOURCE_MASTER)
        .setReason(TaskStatus.Reason.REASON_RECONCILIATION)
        .setMessage("Reconciliation: Task is unknown")
        .setTimestamp(System.currentTimeMillis() / 1000.0)
        .build();
  }

  private void teardown() {
    tasks.values().forEach(LocalTask::kill);
    disconnect();
    scheduler.disconnected(this);
  }

  private void collectGarbage() {
    try {
      work.collectGarbage(Instant.now().minus(options.sandboxAge()));
    } catch (IOException e) {
      log.warn("cannot clean up old sandboxes", e);
    }
  }

  /** Tasks go on; the next cluster in this directory finds them. */
  @Override
  public void close() {
    health.close();
    loop.shutdown();
    try {
      // What was asked before the end, a kill say, is done.
      if (!launches.close() || !loop.awaitTermination(2, TimeUnit.SECONDS)) {
        log.warn("the embedded cluster did not end in time");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

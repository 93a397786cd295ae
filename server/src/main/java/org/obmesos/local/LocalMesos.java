// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
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
import org.obmesos.executor.TaskReport;
import org.obmesos.task.AvailableResources;
import org.obmesos.util.NamedExecutors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The embedded cluster: a master and one agent, this machine, with the calls and events of a real
 * one. One thread owns its state and calls the scheduler.
 */
public final class LocalMesos implements SchedulerDriver {
  private static final Logger log = LoggerFactory.getLogger(LocalMesos.class);
  private static final String ROLE = "*";
  private static final double HEARTBEAT_SECONDS = 15;
  private static final double DEFAULT_REFUSE_SECONDS = 5;
  private static final int STDERR_BYTES = 4096;
  private static final Duration GARBAGE_INTERVAL = Duration.ofHours(1);
  private final Scheduler scheduler;
  private final LocalOptions options;
  private final Allocator allocator;
  private final ScheduledThreadPoolExecutor thread;
  private final LaunchExecutor launches;
  private final HealthChecks health;
  private final Map<String, LocalTask> tasks = new LinkedHashMap<>();

  private WorkDirectory work;
  private Launcher launcher;
  private String masterId = "";
  private String hostname = "localhost";
  private Optional<FrameworkID> framework = Optional.empty();
  private long offerCount;
  private int frameworkCount;
  private boolean opened;

  /** Creates a cluster; {@link #start} starts it. */
  public LocalMesos(Scheduler scheduler, LocalOptions options) {
    this.scheduler = scheduler;
    this.options = options;
    this.allocator = new Allocator(new AvailableResources(options.capacity(), LocalOptions.PORTS));
    this.thread = NamedExecutors.single("local-cluster");
    this.launches = new LaunchExecutor(this::execute, new Outcome());
    this.health = new HealthChecks(this::schedule);
  }

  @Override
  public void start() {
    execute(this::open);
  }

  private void open() {
    try {
      work = new WorkDirectory(options.workDirectory());
      launcher = new Launcher(work, options, new Supervision());
      masterId = work.masterId();
      frameworkCount = work.frameworkCount();
      hostname = LocalOptions.hostname();
      Optional<Supervisor> earlier = launcher.reconnect();
      for (WorkDirectory.Checkpoint checkpoint : work.checkpoints()) {
        // An earlier attempt to start may have got this far.
        if (!tasks.containsKey(checkpoint.task().getTaskId().getValue())) {
          recover(checkpoint, earlier);
        }
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
    opened = true;
    launches.execute(() -> launcher.supervisor());
    var unusedHeartbeats =
        thread.scheduleAtFixedRate(
            guarded(this::heartbeat),
            15_000,
            (long) (HEARTBEAT_SECONDS * 1000),
            TimeUnit.MILLISECONDS);
    var unusedCleaning =
        thread.scheduleWithFixedDelay(
            guarded(this::collectGarbage), 10, GARBAGE_INTERVAL.toSeconds(), TimeUnit.SECONDS);
    scheduler.connected(this);
  }

  /** Recovers a task of an earlier server, as an agent does after its restart. */
  private void recover(WorkDirectory.Checkpoint checkpoint, Optional<Supervisor> supervisor)
      throws IOException {
    LocalTask task = add(checkpoint.task());
    Optional<Long> process =
        supervisor.flatMap(it -> Optional.ofNullable(it.running().get(task.id())));
    Optional<ProcessHandle> earlier = work.earlierSupervisor(task.id());
    if (process.isPresent() || earlier.isPresent()) {
      log.info("task {} goes on", task.id());
      supervisor.ifPresent(task::setSupervisor);
      task.setProcess(process.or(() -> earlier.map(ProcessHandle::pid)).orElseThrow());
      task.update(task.status(TaskState.TASK_RUNNING));
      startHealthChecks(task);
      if (earlier.isPresent()) {
        var unused = earlier.get().onExit().thenRun(() -> execute(() -> ended(task)));
      }
    } else if (work.exit(task.id()).isPresent()) {
      ended(task);
    } else if (work.hasStarted(task.id())) {
      outcomeUnknown(List.of(task));
    } else {
      log.info("task {} was never started", task.id());
      remove(task);
      allocator.release(task.resources());
    }
  }

  private LocalTask add(TaskInfo info) {
    LocalTask task = new LocalTask(info, new StatusStream(thread, this::sendUpdate));
    tasks.put(task.id(), task);
    allocator.use(task.resources());
    return task;
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
      case SHUTDOWN ->
          launches.execute(
              () -> launcher.endSession(call.getShutdown().getExecutorId().getValue()));
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
                + MesosResources.describe(MesosResources.list(left, ROLE)));
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

  private void launch(TaskInfo info) {
    launches.launch(launcher, framework.orElseThrow().getValue(), add(info));
  }

  private final class Outcome implements LaunchExecutor.Outcome {
    @Override
    public void handedOver(LocalTask task, Supervisor supervisor) {
      task.setSupervisor(supervisor);
      if (supervisor.isLost()) {
        supervisorLost(List.of(task));
      }
    }

    @Override
    public void failed(LocalTask task, String message) {
      end(
          task,
          task.status(TaskState.TASK_FAILED)
              .setSource(TaskStatus.Source.SOURCE_AGENT)
              .setReason(TaskStatus.Reason.REASON_CONTAINER_LAUNCH_FAILED)
              .setMessage("Failed to launch container: " + message));
    }
  }

  /** Passes what the supervisor says to the cluster's thread. */
  private final class Supervision implements Supervisor.Listener {
    @Override
    public void started(String taskId, long process) {
      onTask(taskId, task -> LocalMesos.this.started(task, process));
    }

    @Override
    public void ended(String taskId) {
      onTask(taskId, LocalMesos.this::ended);
    }

    @Override
    public void failed(String taskId, String message) {
      onTask(taskId, task -> new Outcome().failed(task, message));
    }

    @Override
    public void lost(Supervisor supervisor) {
      execute(() -> LocalMesos.this.lost(supervisor));
    }

    private void onTask(String taskId, Consumer<LocalTask> job) {
      execute(() -> Optional.ofNullable(tasks.get(taskId)).ifPresent(job));
    }
  }

  private void started(LocalTask task, long process) {
    task.setProcess(process);
    task.update(task.status(TaskState.TASK_STARTING));
    task.update(task.status(TaskState.TASK_RUNNING));
    if (task.isKillRequested()) {
      killProcess(task);
    }
    startHealthChecks(task);
  }

  private void killProcess(LocalTask task) {
    if (task.hasProcess()) {
      task.update(task.status(TaskState.TASK_KILLING));
    }
    launches.execute(() -> launcher.kill(task.id()));
  }

  /** The supervisor was killed: tells how its tasks have ended, so far as that can be known. */
  private void lost(Supervisor supervisor) {
    log.warn("the supervisor was killed");
    launcher.forget(supervisor);
    supervisor.setLost();
    supervisorLost(
        tasks.values().stream()
            .filter(task -> task.supervisor().equals(Optional.of(supervisor)))
            .toList());
  }

  private void supervisorLost(List<LocalTask> itsTasks) {
    List<LocalTask> unknown = new ArrayList<>();
    for (LocalTask task : itsTasks) {
      try {
        if (task.hasEnded()) {
          log.debug("task {} had ended before", task.id());
        } else if (work.exit(task.id()).isPresent()) {
          ended(task);
        } else if (work.hasStarted(task.id())) {
          unknown.add(task);
        } else {
          launches.launchAgain(launcher, work.frameworkOf(task.id()), task);
        }
      } catch (IOException e) {
        log.warn("the state of task {} cannot be read", task.id(), e);
        unknown.add(task);
      }
    }
    outcomeUnknown(unknown);
  }

  private void outcomeUnknown(List<LocalTask> lost) {
    try {
      launcher.killOrphans(lost.stream().map(LocalTask::id).toList());
    } catch (IOException e) {
      log.warn("the processes of tasks without a supervisor cannot be killed", e);
    }
    lost.forEach(this::ended);
  }

  private void startHealthChecks(LocalTask task) {
    if (task.info().hasHealthCheck()) {
      health.start(task.info().getHealthCheck(), new CheckedTask(task));
    }
  }

  /** A task with a health check. */
  private final class CheckedTask implements HealthChecks.HealthCheckTarget {
    private final LocalTask task;

    CheckedTask(LocalTask task) {
      this.task = task;
    }

    @Override
    public boolean isActive() {
      return !task.hasEnded() && !task.isKillRequested();
    }

    @Override
    public void healthChanged(boolean healthy) {
      task.setHealthy(healthy);
      task.update(
          task.status(TaskState.TASK_RUNNING)
              .setReason(TaskStatus.Reason.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED));
    }

    @Override
    public void failed() {
      task.requestKillUnhealthy();
      killProcess(task);
    }

    @Override
    public ProcessBuilder process(String command) throws IOException {
      return launcher.beside(task.info(), work.sandboxOf(task.id()), command);
    }
  }

  private void ended(LocalTask task) {
    try {
      Optional<String> exit = work.exit(task.id());
      end(task, task.ended(exit, launchFailure(task, exit)).setData(report(task, exit)));
    } catch (IOException e) {
      log.warn("the outcome of task {} cannot be read", task.id(), e);
      end(task, task.ended(Optional.empty(), Optional.empty()));
    }
  }

  /** Returns the data of the last update; empty if the output cannot be read. */
  private ByteString report(LocalTask task, Optional<String> exit) {
    try {
      LocalSandbox sandbox = new LocalSandbox(work.sandboxOf(task.id()));
      return report(sandbox, LocalTask.usage(exit)).toData();
    } catch (IOException e) {
      log.info("the output of task {} cannot be read: {}", task.id(), e.toString());
      return ByteString.EMPTY;
    }
  }

  private static TaskReport report(LocalSandbox sandbox, String usage) throws IOException {
    return new TaskReport(
        ByteString.copyFrom(sandbox.read("stdout", 0, TaskReport.LIMIT)),
        sandbox.size("stdout"),
        ByteString.copyFrom(sandbox.read("stderr", 0, TaskReport.LIMIT)),
        sandbox.size("stderr"),
        usage);
  }

  private Optional<String> launchFailure(LocalTask task, Optional<String> exit) throws IOException {
    if (exit.isEmpty() || !task.info().hasContainer()) {
      return Optional.empty();
    }
    LocalSandbox sandbox = new LocalSandbox(work.sandboxOf(task.id()));
    long size = sandbox.size("stderr");
    byte[] end = sandbox.read("stderr", Math.max(0, size - STDERR_BYTES), STDERR_BYTES);
    return ContainerRuntime.launchFailure(exit.get(), new String(end, StandardCharsets.UTF_8));
  }

  private void end(LocalTask task, TaskStatus.Builder last) {
    if (!task.hasEnded()) {
      task.update(last);
      allocator.release(task.resources());
      allocate();
    }
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
    LocalTask task = tasks.get(id.getValue());
    if (task == null) {
      sendUpdate(unknown(id, Optional.empty()));
    } else if (task.cancelFetch()) {
      end(
          task,
          task.status(TaskState.TASK_KILLED).setMessage("Killed while its files were fetched"));
    } else if (!task.hasEnded() && !task.isKillRequested()) {
      task.requestKill();
      killProcess(task);
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
      log.warn("the checkpoint of task {} cannot be deleted", task.id(), e);
    }
  }

  private void reconcile(Call.Reconcile reconcile) {
    if (reconcile.getTasksCount() == 0) {
      tasks.values().stream().filter(task -> !task.hasEnded()).forEach(this::answer);
    }
    for (Call.Reconcile.Task asked : reconcile.getTasksList()) {
      LocalTask task = tasks.get(asked.getTaskId().getValue());
      if (task == null) {
        sendUpdate(
            unknown(
                asked.getTaskId(),
                asked.hasAgentId() ? Optional.of(asked.getAgentId()) : Optional.empty()));
      } else {
        answer(task);
      }
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
    tasks.keySet().forEach(id -> kill(TaskID.newBuilder().setValue(id).build()));
    launches.execute(() -> launcher.endSession(""));
    disconnect();
    scheduler.disconnected(this);
  }

  private void collectGarbage() {
    try {
      work.collectGarbage(Instant.now().minus(options.sandboxAge()));
    } catch (IOException e) {
      log.warn("old sandboxes cannot be deleted", e);
    }
  }

  /** Closes the cluster. Tasks go on; the next cluster in this directory finds them. */
  @Override
  public void close() {
    health.close();
    // Calls that came before, such as a kill, are carried out. A shutdown drops what is queued.
    CountDownLatch before = new CountDownLatch(1);
    execute(before::countDown);
    try {
      if (!before.await(2, TimeUnit.SECONDS)) {
        log.warn("the embedded cluster did not end in time");
      }
      thread.shutdown();
      if (!thread.awaitTermination(2, TimeUnit.SECONDS) || !launches.close()) {
        log.warn("the embedded cluster did not end in time");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (launcher != null) {
      launcher.close();
    }
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.function.Consumer;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.TaskID;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.apache.mesos.v1.Protos.TaskState;
import org.apache.mesos.v1.Protos.TaskStatus;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.obmesos.executor.TaskReport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent of the embedded cluster, this machine: runs tasks and sends their updates, as an agent
 * of Mesos does. Used on the cluster's thread.
 */
final class LocalAgent {
  private static final Logger log = LoggerFactory.getLogger(LocalAgent.class);
  private static final int STDERR_BYTES = 4096;

  private final LocalOptions options;
  private final ScheduledThreadPoolExecutor thread;
  private final HealthChecks.Clock clock;
  private final Allocator allocator;
  private final Listener listener;
  private final LaunchExecutor launches;
  private final HealthChecks health;
  private final Map<String, LocalTask> tasks = new LinkedHashMap<>();

  private WorkDirectory work;
  private Launcher launcher;

  /** Receives what happens on the agent. */
  interface Listener {
    /** A task has an update, which is sent again until it is acknowledged. */
    void update(TaskStatus status);

    /** A session, which is named by the id of its executor, has ended. */
    void sessionEnded(String executorId);

    /** A task has ended: the allocator has its resources again. */
    void released();
  }

  /**
   * Creates an agent; {@link #open} has it begin.
   *
   * @param thread the cluster's thread
   * @param clock runs jobs on that thread, and logs their exceptions
   */
  LocalAgent(
      LocalOptions options,
      ScheduledThreadPoolExecutor thread,
      HealthChecks.Clock clock,
      Allocator allocator,
      Listener listener) {
    this.options = options;
    this.thread = thread;
    this.clock = clock;
    this.allocator = allocator;
    this.listener = listener;
    this.launches = new LaunchExecutor(this::execute, new Outcome());
    this.health = new HealthChecks(clock);
  }

  private void execute(Runnable job) {
    clock.schedule(0, job);
  }

  /** Opens the work directory and recovers the tasks of an earlier server. */
  void open() throws IOException {
    work = new WorkDirectory(options.workDirectory());
    launcher = new Launcher(work, options, new Supervision());
    Optional<Supervisor> earlier = launcher.reconnect();
    for (WorkDirectory.Checkpoint checkpoint : work.checkpoints()) {
      // An earlier attempt to start may have got this far.
      if (!tasks.containsKey(checkpoint.task().getTaskId().getValue())) {
        recover(checkpoint, earlier);
      }
    }
  }

  /** Starts what runs the tasks, before there is one. */
  void start() {
    launches.execute(() -> launcher.supervisor());
  }

  WorkDirectory work() {
    return work;
  }

  Collection<LocalTask> tasks() {
    return tasks.values();
  }

  Optional<LocalTask> task(TaskID id) {
    return Optional.ofNullable(tasks.get(id.getValue()));
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
    LocalTask task = new LocalTask(info, new StatusStream(thread, listener::update));
    tasks.put(task.id(), task);
    allocator.use(task.resources());
    return task;
  }

  /** Launches a task. */
  void launch(FrameworkID framework, TaskInfo info) {
    launches.launch(launcher, framework.getValue(), add(info));
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
      onTask(taskId, task -> LocalAgent.this.started(task, process));
    }

    @Override
    public void ended(String taskId) {
      onTask(taskId, LocalAgent.this::ended);
    }

    @Override
    public void failed(String taskId, String message) {
      onTask(taskId, task -> new Outcome().failed(task, message));
    }

    @Override
    public void sessionEnded(String id) {
      execute(() -> listener.sessionEnded(id));
    }

    @Override
    public void lost(Supervisor supervisor) {
      execute(() -> LocalAgent.this.lost(supervisor));
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
      end(
          task,
          task.ended(exit, launchFailure(task, exit))
              .setTimestamp(work.exitTime(task.id()).toEpochMilli() / 1000.0)
              .setData(report(task, exit)));
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
    return ContainerRuntime.launchFailure(
        LocalTask.exitStatus(exit.get()), new String(end, StandardCharsets.UTF_8));
  }

  private void end(LocalTask task, TaskStatus.Builder last) {
    if (!task.hasEnded()) {
      task.update(last);
      allocator.release(task.resources());
      listener.released();
    }
  }

  /** Kills a task; one that has ended stays as it is. */
  void kill(LocalTask task) {
    if (task.cancelFetch()) {
      end(
          task,
          task.status(TaskState.TASK_KILLED).setMessage("Killed while its files were fetched"));
    } else if (!task.hasEnded() && !task.isKillRequested()) {
      task.requestKill();
      killProcess(task);
    }
  }

  /** Returns the ids of sessions that have ended; those of an earlier server too. */
  List<String> endedSessions() {
    try {
      return work.sessionIds().stream().filter(launcher::hasEnded).toList();
    } catch (IOException e) {
      log.warn("the sessions cannot be listed", e);
      return List.of();
    }
  }

  /** Ends a session; an empty id is that of all sessions. */
  void endSession(String id) {
    launches.execute(() -> launcher.endSession(id));
  }

  /** Takes an acknowledgement; that of the last update removes the task. */
  void acknowledge(Call.Acknowledge acknowledge) {
    LocalTask task = tasks.get(acknowledge.getTaskId().getValue());
    if (task == null) {
      return;
    }
    Optional<TaskStatus> done = task.updates().acknowledge(acknowledge.getUuid());
    boolean last = done.map(status -> status.getState() == task.state()).orElse(false);
    if (last && task.hasEnded()) {
      remove(task);
      tellEndOfSession(task);
    }
  }

  /** The scheduler ignores the end of a busy session, so it is told again after its task. */
  private void tellEndOfSession(LocalTask task) {
    String session = task.info().getExecutor().getExecutorId().getValue();
    if (task.info().hasExecutor() && launcher.hasEnded(session)) {
      listener.sessionEnded(session);
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

  /** Deletes old sandboxes. */
  void collectGarbage() {
    try {
      work.collectGarbage(Instant.now().minus(options.sandboxAge()), launcher::hasEnded);
    } catch (IOException e) {
      log.warn("old sandboxes cannot be deleted", e);
    }
  }

  /** Starts no more health checks. */
  void stopHealthChecks() {
    health.close();
  }

  /**
   * Finishes the launches and kills that have begun. Tasks go on.
   *
   * @return whether that was done in time
   */
  boolean close() throws InterruptedException {
    boolean done = launches.close();
    if (launcher != null) {
      launcher.close();
    }
    return done;
  }
}

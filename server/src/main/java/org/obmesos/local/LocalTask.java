// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.ContainerID;
import org.apache.mesos.v1.Protos.ContainerStatus;
import org.apache.mesos.v1.Protos.ExecutorID;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.apache.mesos.v1.Protos.TaskState;
import org.apache.mesos.v1.Protos.TaskStatus;
import org.obmesos.driver.MesosResources;
import org.obmesos.task.AvailableResources;
import org.obmesos.task.Session;

/** A task on the agent. Used on the cluster's thread, but for {@link #isKillRequested}. */
final class LocalTask {
  private static final Pattern EXIT =
      Pattern.compile("(status|signal) (\\d+)(?: (killed|timeout|-))?(?: ([-\\d. ]+?))?( over)?");

  private final TaskInfo info;
  private final StatusStream updates;
  private final String containerId = UUID.randomUUID().toString();
  private TaskState state = TaskState.TASK_STAGING;
  private Optional<Supervisor> supervisor = Optional.empty();
  private OptionalLong process = OptionalLong.empty();
  private Optional<Future<?>> fetch = Optional.empty();
  private volatile boolean killRequested;
  private boolean unhealthy;
  private Optional<Boolean> healthy = Optional.empty();

  LocalTask(TaskInfo info, StatusStream updates) {
    this.info = info;
    this.updates = updates;
  }

  String id() {
    return info.getTaskId().getValue();
  }

  TaskInfo info() {
    return info;
  }

  StatusStream updates() {
    return updates;
  }

  TaskState state() {
    return state;
  }

  AvailableResources resources() {
    return MesosResources.available(info.getResourcesList());
  }

  boolean hasEnded() {
    return switch (state) {
      case TASK_FINISHED, TASK_FAILED, TASK_KILLED -> true;
      default -> false;
    };
  }

  /** Returns the supervisor it was handed to. */
  Optional<Supervisor> supervisor() {
    return supervisor;
  }

  /** It was handed to a supervisor. */
  void setSupervisor(Supervisor connection) {
    supervisor = Optional.of(connection);
  }

  /** Its files are being fetched. */
  void setFetch(Future<?> work) {
    fetch = Optional.of(work);
  }

  /** Cancels the fetch of its files; returns whether there was one. */
  boolean cancelFetch() {
    return !hasEnded() && fetch.map(work -> work.cancel(true)).orElse(false);
  }

  /** Its process has started. */
  void setProcess(long id) {
    process = OptionalLong.of(id);
  }

  /** Returns whether its process has started. */
  boolean hasProcess() {
    return process.isPresent();
  }

  /** It is to be killed, as soon as it has started. */
  void requestKill() {
    killRequested = true;
  }

  /** Sets the outcome of its last health check. */
  void setHealthy(boolean isHealthy) {
    healthy = Optional.of(isHealthy);
  }

  /** It is to be killed because its health checks have failed. */
  void requestKillUnhealthy() {
    unhealthy = true;
    killRequested = true;
  }

  boolean isKillRequested() {
    return killRequested;
  }

  /** Enters a state and sends it until it is acknowledged. */
  void update(TaskStatus.Builder status) {
    state = status.getState();
    updates.add(status.setUuid(uuid()).build());
  }

  /** Starts a status of this task's executor. */
  TaskStatus.Builder status(TaskState newState) {
    ContainerStatus.Builder container =
        ContainerStatus.newBuilder().setContainerId(ContainerID.newBuilder().setValue(containerId));
    process.ifPresent(id -> container.setExecutorPid((int) id));
    TaskStatus.Builder status = TaskStatus.newBuilder();
    if (newState == TaskState.TASK_RUNNING) {
      healthy.ifPresent(status::setHealthy);
    }
    return status
        .setTaskId(info.getTaskId())
        .setState(newState)
        .setSource(TaskStatus.Source.SOURCE_EXECUTOR)
        .setAgentId(AgentID.newBuilder(info.getAgentId()))
        .setExecutorId(ExecutorID.newBuilder().setValue(id()))
        .setTimestamp(System.currentTimeMillis() / 1000.0)
        .setContainerStatus(container);
  }

  /**
   * Starts the last status.
   *
   * @param exit what the supervisor wrote into its exit file; empty if it wrote nothing
   * @param launchFailure what the container runtime said, if it could not start the container
   */
  TaskStatus.Builder ended(Optional<String> exit, Optional<String> launchFailure) {
    if (launchFailure.isPresent()) {
      return status(TaskState.TASK_FAILED)
          .setSource(TaskStatus.Source.SOURCE_AGENT)
          .setReason(TaskStatus.Reason.REASON_CONTAINER_LAUNCH_FAILED)
          .setMessage("Failed to launch container: " + launchFailure.get());
    }
    Matcher words = EXIT.matcher(exit.orElse(""));
    if (!words.matches()) {
      return status(TaskState.TASK_FAILED)
          .setSource(TaskStatus.Source.SOURCE_AGENT)
          .setReason(TaskStatus.Reason.REASON_EXECUTOR_TERMINATED)
          .setMessage("The supervisor was killed, and the command with it; its outcome is unknown");
    }
    boolean exited = words.group(1).equals("status");
    int number = Integer.parseInt(words.group(2));
    String message =
        (exited
                ? "Command exited with status " + number
                : "Command terminated with signal " + Signals.describe(number))
            + (words.group(5) == null ? "" : Session.ENDED);
    String stopped = words.group(3);
    if ("timeout".equals(stopped)) {
      return status(TaskState.TASK_FAILED)
          .setReason(TaskStatus.Reason.REASON_MAX_COMPLETION_TIME_REACHED)
          .setMessage(message);
    }
    TaskState last =
        "killed".equals(stopped)
            ? TaskState.TASK_KILLED
            : exited && number == 0 ? TaskState.TASK_FINISHED : TaskState.TASK_FAILED;
    TaskStatus.Builder status = status(last).setMessage(message);
    if (unhealthy && last == TaskState.TASK_KILLED) {
      status.setHealthy(false);
    }
    return status;
  }

  /**
   * Returns the status with which the command exited of its own accord, if it did.
   *
   * @param exit what the supervisor wrote into its exit file
   */
  static OptionalInt exitStatus(String exit) {
    Matcher words = EXIT.matcher(exit);
    boolean exited =
        words.matches()
            && words.group(1).equals("status")
            && (words.group(3) == null || words.group(3).equals("-"));
    return exited ? OptionalInt.of(Integer.parseInt(words.group(2))) : OptionalInt.empty();
  }

  /** Returns the words of its usage in what the supervisor wrote into its exit file. */
  static String usage(Optional<String> exit) {
    Matcher words = EXIT.matcher(exit.orElse(""));
    return words.matches() && words.group(4) != null ? words.group(4) : "";
  }

  private static ByteString uuid() {
    UUID uuid = UUID.randomUUID();
    return ByteString.copyFrom(
        ByteBuffer.allocate(16)
            .putLong(uuid.getMostSignificantBits())
            .putLong(uuid.getLeastSignificantBits())
            .array());
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.Optional;
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

/** A task as its agent sees it. Used from the cluster's thread only. */
final class LocalTask {
  private static final Pattern EXIT =
      Pattern.compile("(status|signal) (\\d+)(?: (killed|timeout))?");

  private final TaskInfo info;
  private final StatusStream updates;
  private final String containerId = UUID.randomUUID().toString();
  private TaskState state = TaskState.TASK_STAGING;
  private Optional<ProcessHandle> supervisor = Optional.empty();
  private Optional<Future<?>> fetch = Optional.empty();
  private boolean killRequested;
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

  Amount amount() {
    return Amount.of(info.getResourcesList());
  }

  boolean hasEnded() {
    return switch (state) {
      case TASK_FINISHED, TASK_FAILED, TASK_KILLED -> true;
      default -> false;
    };
  }

  Optional<ProcessHandle> supervisor() {
    return supervisor;
  }

  /** Its files are being fetched. */
  void fetchedBy(Future<?> work) {
    fetch = Optional.of(work);
  }

  /** Ends the fetch of its files; returns whether there was one. */
  boolean cancelFetch() {
    return !hasEnded() && fetch.map(work -> work.cancel(true)).orElse(false);
  }

  /** Its process is there; if a kill came before it, the kill is passed on. */
  void supervisedBy(ProcessHandle handle) {
    supervisor = Optional.of(handle);
    if (killRequested) {
      handle.destroy();
    }
  }

  /** Asks the command to end, now or as soon as it has begun. */
  void kill() {
    killRequested = true;
    supervisor.ifPresent(ProcessHandle::destroy);
  }

  /** Its health was seen to be so. */
  void healthy(boolean well) {
    healthy = Optional.of(well);
  }

  /** Asks it to end because it is not well. */
  void giveUp() {
    unhealthy = true;
    kill();
  }

  boolean isKillRequested() {
    return killRequested;
  }

  /** Moves on to a state and tells it, until that is acknowledged. */
  void update(TaskStatus.Builder status) {
    state = status.getState();
    updates.add(status.setUuid(uuid()).build());
  }

  /** A status from this task's executor. */
  TaskStatus.Builder status(TaskState newState) {
    ContainerStatus.Builder container =
        ContainerStatus.newBuilder().setContainerId(ContainerID.newBuilder().setValue(containerId));
    supervisor.ifPresent(handle -> container.setExecutorPid((int) handle.pid()));
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

  /** The last status, from what the supervisor wrote down. */
  TaskStatus.Builder ended(Optional<String> exit) {
    Matcher words = EXIT.matcher(exit.orElse(""));
    if (!words.matches()) {
      return status(TaskState.TASK_FAILED)
          .setSource(TaskStatus.Source.SOURCE_AGENT)
          .setReason(TaskStatus.Reason.REASON_EXECUTOR_TERMINATED)
          .setMessage("The command's supervisor ended without a word");
    }
    boolean exited = words.group(1).equals("status");
    int number = Integer.parseInt(words.group(2));
    String message =
        exited
            ? "Command exited with status " + number
            : "Command terminated with signal " + Signals.describe(number);
    String stopped = words.group(3);
    if ("timeout".equals(stopped)) {
      return status(TaskState.TASK_FAILED)
          .setReason(TaskStatus.Reason.REASON_MAX_COMPLETION_TIME_REACHED)
          .setMessage(message);
    }
    TaskState last =
        stopped != null
            ? TaskState.TASK_KILLED
            : exited && number == 0 ? TaskState.TASK_FINISHED : TaskState.TASK_FAILED;
    TaskStatus.Builder status = status(last).setMessage(message);
    if (unhealthy && last == TaskState.TASK_KILLED) {
      status.setHealthy(false);
    }
    return status;
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

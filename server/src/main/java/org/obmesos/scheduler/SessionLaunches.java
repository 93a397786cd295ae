// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import com.google.protobuf.InvalidProtocolBufferException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import org.apache.mesos.v1.Protos.ExecutorID;
import org.apache.mesos.v1.Protos.ExecutorInfo;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.Resource;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.obmesos.driver.MesosResources;
import org.obmesos.store.Store;
import org.obmesos.task.AvailableResources;
import org.obmesos.task.Ports;
import org.obmesos.task.Session;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskLocation;
import org.obmesos.task.TaskState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Launches the tasks of sessions, and rejects those whose session has ended. The description of an
 * executor is stored with the launch of its first task: Mesos wants the very same one for each of
 * its tasks (its master/validation.cpp), also from a later server. Used on the scheduler thread.
 */
final class SessionLaunches {
  private static final Logger log = LoggerFactory.getLogger(SessionLaunches.class);

  private final TaskRegistry registry;
  private final Sessions sessions;
  private final Store store;
  private final boolean cluster;
  private final BiConsumer<TaskId, String> reject;

  /** The executors of lost sessions, by the ids of the agents that were lost with them. */
  private final Map<String, List<TaskLocation>> abandoned = new HashMap<>();

  /**
   * Creates an instance.
   *
   * @param cluster whether the agents are those of Mesos, which start executors
   * @param reject ends a queued task with a message
   */
  SessionLaunches(
      TaskRegistry registry,
      Sessions sessions,
      Store store,
      boolean cluster,
      BiConsumer<TaskId, String> reject) {
    this.registry = registry;
    this.sessions = sessions;
    this.store = store;
    this.cluster = cluster;
    this.reject = reject;
  }

  /** Loads the sessions from their tasks and the stored descriptions of their executors. */
  void load(List<Task> tasks, Map<String, byte[]> descriptions) {
    Map<String, ExecutorInfo> executors = new HashMap<>();
    descriptions.forEach(
        (id, bytes) -> {
          try {
            executors.put(id, ExecutorInfo.parseFrom(bytes));
          } catch (InvalidProtocolBufferException e) {
            log.warn("the description of the executor {} cannot be read", id, e);
          }
        });
    Set<String> used = sessions.load(tasks, executors);
    var unused = store.retainExecutors(used);
  }

  /** A session has ended: the tasks that were submitted for it do not begin another one. */
  void ended(String name, String why) {
    sessions.remove(name);
    registry.live().stream()
        .filter(task -> task.state() == TaskState.QUEUED)
        .filter(task -> task.block().session().filter(it -> it.name().equals(name)).isPresent())
        .toList()
        .forEach(
            task -> {
              // It is not to be launched before the rejection is stored.
              registry.dequeue(task);
              reject.accept(
                  task.id(),
                  "The session has ended (" + why + "); run the block again to begin another one");
            });
  }

  /** The master has removed an agent. It can come back, with the executors of its sessions. */
  void agentRemoved(String id) {
    for (String name : sessions.onAgent(id)) {
      TaskLocation location = sessions.last(name).orElseThrow().launch().location();
      if (sessions.lost(name, "its agent was lost")) {
        abandoned.computeIfAbsent(id, agent -> new ArrayList<>()).add(location);
      }
    }
  }

  /** Removes and returns the executors of lost sessions on an agent that has come back. */
  List<TaskLocation> takeAbandonedOn(String agentId) {
    List<TaskLocation> locations = abandoned.remove(agentId);
    return locations == null ? List.of() : locations;
  }

  /** The scheduler is subscribed as the framework with the given id. */
  void subscribedAs(String id) {
    sessions.subscribedAs(id);
  }

  /** An executor has ended. The task that it ran gets a status of its own. */
  void executorEnded(String id) {
    sessions.ofExecutor(id).forEach(name -> sessions.lost(name, "its interpreter has ended"));
  }

  /**
   * Rejects the queued tasks of sessions that were lost while they were idle. No launch may be
   * uncommitted: its task is not queued any more.
   */
  void rejectTasksOfLost() {
    Map<String, String> lost = sessions.lost();
    if (lost.isEmpty()) {
      return;
    }
    registry.queue().stream()
        .flatMap(task -> task.block().session().stream())
        .map(Session::name)
        .filter(lost::containsKey)
        .collect(Collectors.toSet())
        .forEach(name -> ended(name, lost.get(name)));
  }

  /**
   * Describes the executor of a task that is about to be launched. The description has to be stored
   * with the launch, and then {@link Sessions#put known}.
   *
   * @param left the resources of the offers that no executor has taken; its own are taken from it
   * @return empty if its executor was described before
   */
  Optional<ExecutorInfo> describe(
      Task task, TaskLocation location, Offer offer, List<Resource> left) {
    String id = location.executorId();
    if (!cluster || sessions.executor(id).isPresent()) {
      return Optional.empty();
    }
    AvailableResources needed = new AvailableResources(Sessions.resources(id), Ports.NONE);
    return Optional.of(
        Sessions.describe(
            id,
            FrameworkID.newBuilder().setValue(location.frameworkId()).build(),
            SharedExecutors.command(),
            begins(task, id)
                ? MesosResources.take(left, needed)
                : MesosResources.list(needed, offer.getAllocationInfo().getRole())));
  }

  private boolean begins(Task task, String executorId) {
    return sessions
        .last(task.block().session().orElseThrow().name())
        .filter(last -> last.launch().location().executorId().equals(executorId))
        .isEmpty();
  }

  /**
   * Converts a task that is launched.
   *
   * @param taken the resources of the task
   */
  TaskInfo info(Task task, List<Resource> taken) {
    String id = task.launch().location().executorId();
    boolean begins = begins(task, id);
    sessions.launched(task);
    ExecutorInfo executor =
        cluster
            ? sessions.executor(id).orElseThrow()
            : ExecutorInfo.newBuilder().setExecutorId(ExecutorID.newBuilder().setValue(id)).build();
    return TaskInfos.inSession(task, taken, executor, begins);
  }
}

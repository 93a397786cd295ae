// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.apache.mesos.v1.Protos.ExecutorID;
import org.apache.mesos.v1.Protos.ExecutorInfo;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.Resource;
import org.obmesos.task.Block;
import org.obmesos.task.Resources;
import org.obmesos.task.Session;
import org.obmesos.task.Task;
import org.obmesos.task.TaskLocation;
import org.obmesos.task.TaskState;

/**
 * The sessions: each is an executor with one interpreter, which has the resources of the block that
 * began it. What is known of them is derived from their tasks, so that a new server knows them too.
 * An executor that has ended cannot begin a session again: each launch says whether it begins one.
 * Used on the scheduler thread.
 */
final class Sessions {
  /** What a task takes, besides its executor, which has the resources of the session. */
  private static final Resources TASK = new Resources(0.01, 1, 0);

  /** The id names the resources: Mesos wants the same executor for each of its tasks. */
  private static final Pattern ID =
      Pattern.compile("session-\\w+-([\\d.]+)-([\\d.]+)-([\\d.]+)-([\\d.]+)");

  private static final int RANDOM = 8;

  private final TaskRegistry registry;
  private final boolean cluster;
  private final Map<String, State> states = new LinkedHashMap<>();
  private final Map<String, ExecutorInfo> executors = new LinkedHashMap<>();

  /**
   * A session that has not ended, or whose end no task was told yet.
   *
   * @param began when its first task was launched
   * @param last its last task that was launched
   * @param confirmed whether one of its tasks has ended without it
   * @param lost why it has ended without a task; empty if it has not
   */
  private record State(Instant began, Task last, boolean confirmed, Optional<String> lost) {
    TaskLocation location() {
      return last.launch().location();
    }
  }

  /**
   * Creates the sessions of a framework.
   *
   * @param cluster whether the agents are those of Mesos, which start executors
   */
  Sessions(TaskRegistry registry, boolean cluster) {
    this.registry = registry;
    this.cluster = cluster;
  }

  /**
   * Derives the sessions from their tasks, in the order of submission.
   *
   * @param descriptions the descriptions of executors, by their ids
   * @return the ids of the executors that are used
   */
  Set<String> load(List<Task> tasks, Map<String, ExecutorInfo> descriptions) {
    for (Task task : tasks) {
      if (!task.launch().location().isNone()) {
        launched(task);
        if (task.state().isTerminal()) {
          ended(task);
        }
      }
    }
    Set<String> used =
        states.values().stream()
            .map(state -> state.location().executorId())
            .collect(Collectors.toSet());
    executors.putAll(descriptions);
    executors.keySet().retainAll(used);
    return used;
  }

  /** A task was launched, or its state has changed. */
  void launched(Task task) {
    String name = task.block().session().orElseThrow().name();
    Optional<State> before = Optional.ofNullable(states.get(name)).filter(it -> isSame(it, task));
    Instant began =
        before.map(State::began).orElseGet(() -> task.times().started().orElseGet(Instant::now));
    boolean confirmed = before.map(State::confirmed).orElse(false);
    states.put(name, new State(began, task, confirmed, Optional.empty()));
  }

  /** A task is to be launched again: if its session was to begin with it, it still is. */
  void launchedInVain(Task task) {
    task.block()
        .session()
        .map(Session::name)
        .filter(name -> states.containsKey(name) && !states.get(name).confirmed())
        .filter(name -> states.get(name).last().id().equals(task.id()))
        .ifPresent(states::remove);
  }

  private static boolean isSame(State state, Task task) {
    return state.location().executorId().equals(task.launch().location().executorId());
  }

  /**
   * A task that was launched has ended.
   *
   * @return whether its session has ended with it
   */
  boolean ended(Task task) {
    String name = task.block().session().orElseThrow().name();
    State state = states.get(name);
    if (state == null || !isSame(state, task)) {
      return false;
    }
    if (Session.hasEndedWith(task.status())) {
      states.remove(name);
      return true;
    }
    states.put(name, new State(state.began(), task, true, state.lost()));
    return false;
  }

  /**
   * A session has ended without a task, so its next task has to be told. The task of a busy session
   * gets a status of its own.
   *
   * @return whether the session was idle, and is lost
   */
  boolean lost(String name, String why) {
    State state = states.get(name);
    if (state == null || isBusy(state.last())) {
      return false;
    }
    states.put(name, new State(state.began(), state.last(), true, Optional.of(why)));
    return true;
  }

  /**
   * The scheduler is subscribed as the framework with the given id. The sessions of an earlier
   * framework were removed with it, those that are busy too.
   */
  void subscribedAs(String id) {
    states.replaceAll(
        (name, state) ->
            state.location().frameworkId().equals(id)
                ? state
                : new State(
                    state.began(), state.last(), true, Optional.of("its framework was removed")));
  }

  /** Returns why sessions were lost that no task has asked for since, by name. */
  Map<String, String> lost() {
    Map<String, String> lost = new HashMap<>();
    states.forEach((name, state) -> state.lost().ifPresent(why -> lost.put(name, why)));
    return lost;
  }

  /** A session has ended; its next task begins another one. */
  void remove(String name) {
    states.remove(name);
  }

  /** Returns the names of the sessions of an executor. */
  List<String> ofExecutor(String executorId) {
    return names(state -> state.location().executorId().equals(executorId));
  }

  /** Returns the names of the sessions on an agent. */
  List<String> onAgent(String agentId) {
    return names(state -> state.location().agentId().equals(agentId));
  }

  private List<String> names(Predicate<State> wanted) {
    return states.entrySet().stream()
        .filter(entry -> wanted.test(entry.getValue()))
        .map(Map.Entry::getKey)
        .toList();
  }

  /** Returns where a session is, and its last task. */
  Optional<Task> last(String name) {
    return Optional.ofNullable(states.get(name)).map(State::last);
  }

  /** Returns the sessions, in the order of their beginnings. */
  Collection<SessionSummary> list() {
    return states.entrySet().stream()
        .map(
            entry ->
                new SessionSummary(
                    entry.getKey(),
                    entry.getValue().began(),
                    entry.getValue().last(),
                    isBusy(entry.getValue().last()),
                    entry.getValue().lost()))
        .toList();
  }

  private boolean isBusy(Task last) {
    return registry.live(last.id()).filter(task -> task.state() != TaskState.QUEUED).isPresent();
  }

  /** Returns why a queued task has to wait for another one of its session; empty if it has not. */
  Optional<String> unmet(Task task) {
    if (task.block().session().isEmpty()) {
      return Optional.empty();
    }
    String name = task.block().session().get().name();
    Optional<Task> busy = last(name).filter(this::isBusy).filter(it -> !it.id().equals(task.id()));
    return Stream.concat(busy.stream(), registry.liveBefore(name, task).stream())
        // Of those that come before, the last: the reason then stays the same until it ends.
        .max(Comparator.comparing(Task::sequence))
        .map(other -> "waits for the session, which is to run " + other.id() + " first");
  }

  /** Returns whether a task may go to an agent: its session, if there is one, is there. */
  boolean allows(Task task, String agentId) {
    return task.block()
        .session()
        .flatMap(session -> last(session.name()))
        .map(last -> last.launch().location().agentId().equals(agentId))
        .orElse(true);
  }

  /**
   * Returns why a task waits for the agent of its session, if that has made no offer; empty if it
   * has, or if the task begins its session.
   */
  Optional<String> absentAgent(Task task, Agents agents) {
    return task.block()
        .session()
        .flatMap(session -> last(session.name()))
        .map(last -> last.launch().location())
        .filter(location -> agents.get(location.agentId()).isEmpty())
        .map(
            location ->
                "waits for the agent %s, where its session is; if that is lost, end the session"
                    .formatted(location.hostname()));
  }

  /**
   * Returns the role of the executor of a task's session, which all of its tasks have; empty if the
   * task begins its session.
   */
  Optional<String> role(Task task) {
    return task.block()
        .session()
        .flatMap(session -> last(session.name()))
        .flatMap(last -> executor(last.launch().location().executorId()))
        .filter(executor -> executor.getResourcesCount() > 0)
        .map(executor -> executor.getResources(0).getAllocationInfo().getRole())
        .filter(role -> !role.isEmpty());
  }

  /** Returns the block as placement is to see it: what a running session has is not taken again. */
  Block needs(Task task) {
    return cluster && task.block().session().flatMap(it -> last(it.name())).isPresent()
        ? task.block().with(TASK)
        : task.block();
  }

  /** Returns the resources that a launched task takes itself, besides its executor. */
  Resources ofTask(Task task) {
    return cluster ? TASK : task.block().resources();
  }

  /** Returns the id of the executor for a task that is about to be launched. */
  String assign(Task task) {
    return last(task.block().session().orElseThrow().name())
        .map(it -> it.launch().location().executorId())
        .orElseGet(
            () -> {
              Resources resources = task.block().resources().minusAtMost(TASK).max(TASK);
              return Stream.of(
                      resources.cpus(), resources.memMiB(), resources.diskMiB(), resources.gpus())
                  .map(Resources::format)
                  .collect(
                      Collectors.joining(
                          "-",
                          "session-" + UUID.randomUUID().toString().substring(0, RANDOM) + "-",
                          ""));
            });
  }

  /** Returns whether an id is that of a session's executor. */
  static boolean isSession(String executorId) {
    return executorId.startsWith("session-");
  }

  /** Returns the resources of an executor. */
  static Resources resources(String executorId) {
    Matcher words = ID.matcher(executorId);
    if (!words.matches()) {
      throw new IllegalArgumentException("not the id of a session: " + executorId);
    }
    return new Resources(
        Double.parseDouble(words.group(1)),
        Double.parseDouble(words.group(2)),
        Double.parseDouble(words.group(3)),
        Double.parseDouble(words.group(4)));
  }

  /**
   * Describes a new executor.
   *
   * @param command the command of a shared executor, whose program it runs
   * @param resources what it takes of its agent
   */
  static ExecutorInfo describe(
      String id, FrameworkID framework, CommandInfo command, List<Resource> resources) {
    return ExecutorInfo.newBuilder()
        .setType(ExecutorInfo.Type.CUSTOM)
        .setExecutorId(ExecutorID.newBuilder().setValue(id))
        .setFrameworkId(framework)
        .setName("ob-mesos session")
        .addAllResources(resources)
        .setCommand(command)
        .build();
  }

  /** Remembers the description of an executor. */
  void put(ExecutorInfo executor) {
    executors.put(executor.getExecutorId().getValue(), executor);
  }

  /** Returns the description of an executor, if it was described before. */
  Optional<ExecutorInfo> executor(String id) {
    return Optional.ofNullable(executors.get(id));
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.apache.mesos.v1.Protos.Environment;
import org.apache.mesos.v1.Protos.ExecutorID;
import org.apache.mesos.v1.Protos.ExecutorInfo;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.Resource;
import org.obmesos.executor.ExecutorProgram;
import org.obmesos.task.AvailableResources;
import org.obmesos.task.Block;
import org.obmesos.task.ExecutorKind;
import org.obmesos.task.Ports;
import org.obmesos.task.Resources;
import org.obmesos.task.Task;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The executors that run small tasks, one for each agent and role. An executor of an earlier server
 * is not used again: it ends by itself when it is idle. Used on the scheduler thread.
 */
final class SharedExecutors {
  private static final Logger log = LoggerFactory.getLogger(SharedExecutors.class);

  /** What an executor takes of its agent, besides its tasks. */
  static final AvailableResources OVERHEAD =
      new AvailableResources(new Resources(0.1, 32, 0), Ports.NONE);

  /** A task that shared executors have not started so often gets its own. */
  private static final int MAX_NOT_STARTED = 2;

  /** An executor ends after a minute without a task (executor.pl); it gets no task before that. */
  private static final Duration MAX_IDLE = Duration.ofSeconds(45);

  /** An executor's sandbox can be collected only after its end, so none lasts for ever. */
  private static final Duration MAX_AGE = Duration.ofHours(6);

  private static final int MAX_TASKS = 2000;

  /** When an agent that could not start an executor is tried again. */
  private static final Duration UNUSABLE = Duration.ofHours(1);

  /** The program is in a variable, because arguments can be seen by all users of the agent. */
  private static final String COMMAND =
      "exec perl -e '$_ = `printf %s \"\\$OB_MESOS_EXECUTOR\" | base64 -d | gzip -dc`;"
          + " die \"base64 or gzip has failed\\n\" if $? || !length;"
          + " delete $ENV{OB_MESOS_EXECUTOR}; eval; die $@ if $@'";

  private final TaskRegistry registry;
  private final Resources limit;
  private final InstantSource clock;
  private final String prefix = "shared-" + UUID.randomUUID().toString().substring(0, 8) + "-";
  private final Map<Allocation, SharedExecutor> current = new HashMap<>();
  private final Map<String, SharedExecutor> byId = new HashMap<>();
  private final Map<String, Instant> unusable = new HashMap<>();
  private int count;

  /** An executor. */
  private static final class SharedExecutor {
    private final String id;
    private final Allocation allocation;
    private final Instant created;
    private Optional<ExecutorInfo> info = Optional.empty();
    private Instant lastUsed;
    private int tasks;
    private boolean registered;
    private boolean ended;

    SharedExecutor(String id, Allocation allocation, Instant created) {
      this.id = id;
      this.allocation = allocation;
      this.created = created;
      this.lastUsed = created;
    }
  }

  /**
   * Creates the executors of a framework.
   *
   * @param limit the cpus and memory of the largest task that shares one without saying so
   */
  SharedExecutors(TaskRegistry registry, Resources limit, InstantSource clock) {
    this.registry = registry;
    this.limit = limit;
    this.clock = clock;
  }

  /** Returns whether a task is to run on a shared executor where there is one. */
  boolean mayShare(Task task) {
    Block block = task.block();
    ExecutorKind kind = block.runPolicy().executor();
    return kind != ExecutorKind.OWN
        && block.canShareExecutor()
        && task.launch().notStarted() < MAX_NOT_STARTED
        && (kind == ExecutorKind.SHARED || limit.contains(block.resources()));
  }

  /** Returns what a task that shares would take of offers besides its own resources. */
  AvailableResources overhead(Allocation allocation, List<Offer> offers) {
    return usable(allocation, offers).filter(it -> it.info.isPresent()).isPresent()
        ? AvailableResources.NONE
        : OVERHEAD;
  }

  /** Returns whether executors can be started on an agent. */
  boolean isUsable(Allocation allocation) {
    Instant failed = unusable.get(allocation.agent());
    return failed == null || failed.plus(UNUSABLE).isBefore(clock.instant());
  }

  /**
   * Returns the id of the executor for a task, a new one if there is none.
   *
   * @param offers the offers of the allocation, whose resources are enough for a new executor
   */
  String assign(Allocation allocation, List<Offer> offers) {
    SharedExecutor executor =
        usable(allocation, offers)
            .orElseGet(() -> new SharedExecutor(prefix + count++, allocation, clock.instant()));
    current.put(allocation, executor);
    byId.values().removeIf(it -> it.ended && !hasTasks(it) && !current.containsValue(it));
    byId.put(executor.id, executor);
    executor.tasks++;
    executor.lastUsed = clock.instant();
    return executor.id;
  }

  /** Returns the executor that runs, or is about to run, and can take another task. */
  private Optional<SharedExecutor> usable(Allocation allocation, List<Offer> offers) {
    Instant now = clock.instant();
    return Optional.ofNullable(current.get(allocation))
        .filter(it -> !it.ended && it.tasks < MAX_TASKS && it.created.plus(MAX_AGE).isAfter(now))
        .filter(
            it ->
                it.info.isEmpty()
                    || hasTasks(it)
                    || (isKnown(it.id, offers) && it.lastUsed.plus(MAX_IDLE).isAfter(now)));
  }

  private boolean hasTasks(SharedExecutor executor) {
    return registry.launched().stream()
        .anyMatch(task -> task.launch().location().executorId().equals(executor.id));
  }

  private static boolean isKnown(String id, List<Offer> offers) {
    return offers.stream()
        .flatMap(offer -> offer.getExecutorIdsList().stream())
        .anyMatch(known -> known.getValue().equals(id));
  }

  /** Returns whether an executor takes resources of the offer that its next task is launched on. */
  boolean isNew(String id) {
    return Optional.ofNullable(byId.get(id)).map(it -> it.info.isEmpty() || it.ended).orElse(true);
  }

  /**
   * Returns the description of an executor. Mesos wants it the same for each of its tasks
   * (master/validation.cpp, "ExecutorInfo is not compatible").
   *
   * @param resources what a new executor takes of its offers
   */
  ExecutorInfo info(String id, FrameworkID framework, List<Resource> resources) {
    SharedExecutor executor = byId.get(id);
    if (executor.info.isEmpty()) {
      executor.info =
          Optional.of(
              ExecutorInfo.newBuilder()
                  .setType(ExecutorInfo.Type.CUSTOM)
                  .setExecutorId(ExecutorID.newBuilder().setValue(id))
                  .setFrameworkId(framework)
                  .setName("ob-mesos")
                  .addAllResources(resources)
                  .setCommand(command())
                  .build());
    }
    return executor.info.get();
  }

  /** Returns the command that starts an executor. */
  static CommandInfo command() {
    return CommandInfo.newBuilder()
        .setShell(true)
        .setValue(COMMAND)
        .setEnvironment(
            Environment.newBuilder()
                .addVariables(
                    Environment.Variable.newBuilder()
                        .setName("OB_MESOS_EXECUTOR")
                        .setValue(ExecutorProgram.executor())))
        .build();
  }

  /** An executor has sent an update. */
  void registered(String id) {
    Optional.ofNullable(byId.get(id)).ifPresent(it -> it.registered = true);
  }

  /** A task of an executor has ended. */
  void taskEnded(String id) {
    Optional.ofNullable(byId.get(id)).ifPresent(it -> it.lastUsed = clock.instant());
  }

  /** An executor has ended. */
  void ended(String id) {
    Optional.ofNullable(byId.get(id)).ifPresent(it -> it.ended = true);
  }

  /** A task was not run because of its executor. If that has never run, its agent cannot run it. */
  void failed(String id, String message) {
    SharedExecutor executor = byId.get(id);
    if (executor == null) {
      return;
    }
    executor.ended = true;
    if (!executor.registered && isUsable(executor.allocation)) {
      log.warn(
          "the shared executor cannot run on agent {} ({}); its tasks get executors of their own",
          executor.allocation.agent(),
          message);
      unusable.put(executor.allocation.agent(), clock.instant());
    }
  }
}

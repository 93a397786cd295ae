// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.MasterInfo;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.obmesos.driver.SchedulerDriver;
import org.obmesos.task.Task;
import org.obmesos.task.TaskLocation;

/**
 * The subscription with the master: the framework's id, roles and capabilities. Calls are sent only
 * while it is up. Used on the scheduler thread.
 */
final class Subscription {
  private static final String DEFAULT_ROLE = "*";
  private static final Pattern MISSING_ROLES =
      Pattern.compile("Roles \\{ (.*) \\} are not present in the master's --roles");

  private final FrameworkOptions options;
  private final Set<String> roles = new TreeSet<>(Set.of(DEFAULT_ROLE));
  private SchedulerDriver driver;
  private Optional<String> id = Optional.empty();
  private Optional<String> master = Optional.empty();
  private Optional<Calls> calls = Optional.empty();
  private boolean suppressed;
  private boolean gpus;
  private boolean changed;
  private int lostConnections;
  private Optional<Instant> since = Optional.empty();
  private boolean resubscribing;

  Subscription(FrameworkOptions options) {
    this.options = options;
  }

  /**
   * Starts the driver.
   *
   * @param known the id of the framework to continue; empty for a new one
   */
  void start(Optional<String> known, SchedulerDriver newDriver) {
    id = known;
    driver = newDriver;
    driver.start();
  }

  Optional<String> id() {
    return id;
  }

  /** Returns whether calls can be sent. */
  boolean isUp() {
    return calls.isPresent();
  }

  /**
   * Sends SUBSCRIBE.
   *
   * @param idle whether no offers are needed
   */
  void subscribe(boolean idle) {
    suppressed = idle;
    changed = false;
    driver.send(Calls.subscribe(Calls.frameworkInfo(options, id, roles, gpus), idle));
  }

  /** Takes the framework id from SUBSCRIBED. */
  void setId(String newId) {
    id = Optional.of(newId);
  }

  /** Returns the number of the current connection: that of the connections lost before it. */
  int connection() {
    return lostConnections;
  }

  /** Takes the master's address; one without a port has no web UI. */
  void setMaster(MasterInfo info) {
    master =
        info.getPort() > 0
            ? Optional.of(info.getHostname() + ":" + info.getPort())
            : Optional.empty();
  }

  /** Returns the page of a task in the master's web UI (Mesos' src/webui/app/app.js). */
  Optional<String> page(Task task) {
    TaskLocation location = task.launch().location();
    return location.isNone()
        ? Optional.empty()
        : master.map(
            address ->
                "http://%s/#/agents/%s/frameworks/%s/executors/%s"
                    .formatted(
                        address, location.agentId(), location.frameworkId(), task.mesosTaskId()));
  }

  /** Calls can be sent from now on. */
  void up() {
    calls = id.map(name -> new Calls(FrameworkID.newBuilder().setValue(name).build()));
    if (!resubscribing) {
      since = Optional.of(Instant.now());
    }
    resubscribing = false;
    resubscribePending();
  }

  /**
   * Returns whether agents may not have registered with the master yet: one that has started
   * without its registry learns of their tasks when they do.
   */
  boolean mayMissAgents() {
    return options.hasRoles() && missed(Instant.now().minus(options.agentReregistration()));
  }

  /** Returns whether something happened before this server was connected, by its time. */
  boolean missed(Instant at) {
    return since.filter(at::isBefore).isPresent();
  }

  /** The connection is lost: calls cannot be sent any more. */
  void down() {
    lostConnections++;
    calls = Optional.empty();
  }

  /** Subscribes as a new framework, because the master has removed this one. */
  void startNewFramework() {
    id = Optional.empty();
    resubscribe();
  }

  void resubscribe() {
    driver.reconnect();
  }

  void close() {
    down();
    if (driver != null) {
      driver.close();
    }
  }

  /** Sends a call if the subscription is up; events tell the outcome. */
  void send(Function<Calls, Call> call) {
    calls.ifPresent(factory -> driver.send(call.apply(factory)));
  }

  /** Sends a call; completes as {@link SchedulerDriver#call} does, and fails if it is not up. */
  CompletableFuture<Void> call(Function<Calls, Call> call) {
    return calls
        .map(factory -> driver.call(call.apply(factory)))
        .orElseGet(
            () -> CompletableFuture.failedFuture(new IllegalStateException("not subscribed")));
  }

  /** Asks for the states of tasks, or of all tasks if none is given. */
  void reconcile(Collection<Task> tasks) {
    send(calls -> calls.reconcile(tasks));
  }

  void revive() {
    suppressed = false;
    send(Calls::revive);
  }

  void suppress() {
    if (!suppressed) {
      suppressed = true;
      send(Calls::suppress);
    }
  }

  /**
   * Subscribes again if a task needs a role or a capability that the framework has not: agents with
   * GPUs are offered only to frameworks with GPU_RESOURCES, roles only to their members.
   *
   * @param needsGpus whether the task needs GPUs
   * @param role the role it needs; empty for the default role
   */
  void requireRole(boolean needsGpus, String role) {
    changed |= needsGpus && !gpus;
    gpus |= needsGpus;
    changed |= options.hasRoles() && !role.isEmpty() && roles.add(role);
    resubscribePending();
  }

  /**
   * Gives up the roles that the master does not have, according to its message (its master.cpp), so
   * that the next subscription is without them.
   *
   * @return these roles
   */
  Set<String> dropRoles(String message) {
    Matcher named = MISSING_ROLES.matcher(message);
    if (!named.matches()) {
      return Set.of();
    }
    Set<String> missing = new HashSet<>(List.of(named.group(1).split(", ")));
    missing.retainAll(roles);
    missing.remove(DEFAULT_ROLE);
    roles.removeAll(missing);
    return missing;
  }

  private void resubscribePending() {
    if (changed && isUp()) {
      changed = false;
      resubscribing = true;
      driver.reconnect();
    }
  }
}

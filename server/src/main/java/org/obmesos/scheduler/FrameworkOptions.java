// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.obmesos.task.Resources;

/**
 * The settings of the framework.
 *
 * @param name the framework's name, which operators see
 * @param failoverTimeout how long tasks go on without this server; at least a week is advised
 *     (Mesos' high-availability framework guide)
 * @param principal the principal to subscribe with, if the master wants one
 * @param resultLimit the largest number of bytes of stdout in a result
 * @param limits what can never run, if all of the cluster is known
 * @param retention how long ended tasks are kept
 * @param shareLimit the cpus and memory of the largest task that shares an executor without saying
 *     so
 * @param storeFailureLimit how long the store may fail before the server ends
 * @param agentReregistration how long agents may take to register again with a master that has
 *     started without its registry
 */
public record FrameworkOptions(
    String name,
    Duration failoverTimeout,
    Optional<String> principal,
    int resultLimit,
    Optional<ClusterLimits> limits,
    Retention retention,
    Resources shareLimit,
    Duration storeFailureLimit,
    Duration agentReregistration) {
  /** The default for {@code shareLimit}. */
  public static final Resources SHARE_LIMIT = new Resources(1, 512, 1024);

  /** The default for {@code storeFailureLimit}. */
  public static final Duration STORE_FAILURE_LIMIT = Duration.ofSeconds(30);

  /**
   * The default for {@code agentReregistration}, Mesos' own for {@code --agent_reregister_timeout}.
   */
  public static final Duration AGENT_REREGISTRATION = Duration.ofMinutes(10);

  /** Rejects null components. */
  public FrameworkOptions {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(failoverTimeout, "failoverTimeout");
    Objects.requireNonNull(principal, "principal");
    Objects.requireNonNull(limits, "limits");
    Objects.requireNonNull(retention, "retention");
    Objects.requireNonNull(shareLimit, "shareLimit");
    Objects.requireNonNull(storeFailureLimit, "storeFailureLimit");
    Objects.requireNonNull(agentReregistration, "agentReregistration");
  }

  /** Returns whether the cluster has roles; the embedded one, whose limits are known, has none. */
  boolean hasRoles() {
    return limits.isEmpty();
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * How the framework behaves.
 *
 * @param name what operators see
 * @param failoverTimeout how long tasks go on without us; Mesos' guide wants at least a week
 * @param principal who the framework says it is, where it must
 * @param resultLimit how many bytes of stdout a result holds at most
 * @param bounds what can never run, where that is known
 */
public record FrameworkOptions(
    String name,
    Duration failoverTimeout,
    Optional<String> principal,
    int resultLimit,
    Optional<Bounds> bounds) {
  /** No component is null. */
  public FrameworkOptions {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(failoverTimeout, "failoverTimeout");
    Objects.requireNonNull(principal, "principal");
    Objects.requireNonNull(bounds, "bounds");
  }

  /** Whether there are roles; the embedded cluster, which is known, has none. */
  boolean hasRoles() {
    return bounds.isEmpty();
  }
}

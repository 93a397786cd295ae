// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.util.Objects;

/**
 * How the framework behaves.
 *
 * @param name what operators see
 * @param failoverTimeout how long tasks go on without us; Mesos' guide wants at least a week
 * @param tailLines how many last lines of a running task to tell
 * @param resultLimit how many bytes of stdout a result holds at most
 */
public record FrameworkOptions(
    String name, Duration failoverTimeout, int tailLines, int resultLimit) {
  /** No component is null. */
  public FrameworkOptions {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(failoverTimeout, "failoverTimeout");
  }
}

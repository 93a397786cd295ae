// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import java.time.Duration;
import java.util.Optional;
import org.obmesos.scheduler.ClusterLimits;
import org.obmesos.scheduler.FrameworkOptions;
import org.obmesos.scheduler.Retention;
import org.obmesos.task.Resources;

/** Options of a framework whose tasks share no executors. */
public final class TestOptions {
  private TestOptions() {}

  /** The usual options, with limits if the cluster is the embedded one. */
  public static FrameworkOptions of(Optional<ClusterLimits> limits, Retention retention) {
    return new FrameworkOptions(
        "test",
        Duration.ofDays(7),
        Optional.empty(),
        1 << 18,
        limits,
        retention,
        Resources.NONE,
        FrameworkOptions.STORE_FAILURE_LIMIT,
        FrameworkOptions.AGENT_REREGISTRATION);
  }
}

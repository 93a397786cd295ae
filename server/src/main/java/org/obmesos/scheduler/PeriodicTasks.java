// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;

/**
 * What the framework does from time to time, because calls and updates can get lost.
 *
 * @param frequent repeats kills and explains why tasks wait
 * @param reconcileAll reconciles all tasks implicitly (Mesos' docs/reconciliation.md)
 * @param reconcileStaging reconciles those that have been STAGING for {@link #STAGING_TIMEOUT}
 * @param expire deletes ended tasks that are too old
 */
record PeriodicTasks(
    Runnable frequent, Runnable reconcileAll, Runnable reconcileStaging, Runnable expire) {
  /** How long a task may be STAGING before it is reconciled. */
  static final Duration STAGING_TIMEOUT = Duration.ofSeconds(60);

  private static final Duration FREQUENT = Duration.ofSeconds(5);
  private static final Duration IMPLICIT_RECONCILIATION = Duration.ofMinutes(15);
  private static final Duration EXPIRY = Duration.ofMinutes(1);

  void start(SchedulerExecutor executor) {
    executor.repeat(FREQUENT, frequent);
    executor.repeat(IMPLICIT_RECONCILIATION, reconcileAll);
    executor.repeat(STAGING_TIMEOUT.dividedBy(2), reconcileStaging);
    executor.repeat(EXPIRY, expire);
  }
}

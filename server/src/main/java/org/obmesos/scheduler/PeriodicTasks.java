// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;

/**
 * The periodic operations of the framework. They are needed because calls and updates can get lost.
 *
 * @param usage asks for the usage of running tasks
 * @param frequent repeats kills and explains why tasks wait
 * @param reconcileAll reconciles all tasks implicitly (Mesos' docs/reconciliation.md)
 * @param reconcileUncertain reconciles the tasks that are STAGING or UNREACHABLE
 * @param expire deletes ended tasks that are too old
 */
record PeriodicTasks(
    Runnable usage,
    Runnable frequent,
    Runnable reconcileAll,
    Runnable reconcileUncertain,
    Runnable expire) {
  private static final Duration UNCERTAIN_RECONCILIATION = Duration.ofSeconds(30);
  private static final Duration USAGE = Duration.ofSeconds(2);
  private static final Duration FREQUENT = Duration.ofSeconds(5);
  private static final Duration IMPLICIT_RECONCILIATION = Duration.ofMinutes(15);
  private static final Duration EXPIRY = Duration.ofMinutes(1);

  void start(SchedulerExecutor executor) {
    executor.repeat(USAGE, usage);
    executor.repeat(FREQUENT, frequent);
    executor.repeat(IMPLICIT_RECONCILIATION, reconcileAll);
    executor.repeat(UNCERTAIN_RECONCILIATION, reconcileUncertain);
    executor.repeat(EXPIRY, expire);
  }
}

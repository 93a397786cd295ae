// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a framework does from time to time, since messages get lost: it repeats kills, asks for all
 * of its tasks (Mesos' docs/reconciliation.md), and asks after those that do not begin.
 *
 * @param often says again what is to end, and why nothing happens
 * @param askForAll asks for all tasks at once
 * @param askForTheSilent asks for those of which nothing was heard for {@link #SILENCE}
 */
record Upkeep(Runnable often, Runnable askForAll, Runnable askForTheSilent) {
  /** How long a task may take to begin before it is asked for. */
  static final Duration SILENCE = Duration.ofSeconds(60);

  private static final Duration OFTEN = Duration.ofSeconds(5);
  private static final Duration ALL = Duration.ofMinutes(15);
  private static final Logger log = LoggerFactory.getLogger(Upkeep.class);

  void start(ScheduledExecutorService loop) {
    every(loop, OFTEN, often);
    every(loop, ALL, askForAll);
    every(loop, SILENCE.dividedBy(2), askForTheSilent);
  }

  /** A fault in one round must not be the end of all others. */
  private static void every(ScheduledExecutorService loop, Duration pause, Runnable work) {
    var unused =
        loop.scheduleWithFixedDelay(
            () -> {
              try {
                work.run();
              } catch (RuntimeException e) {
                log.error("the scheduler met a fault", e);
              }
            },
            pause.toMillis(),
            pause.toMillis(),
            TimeUnit.MILLISECONDS);
  }
}

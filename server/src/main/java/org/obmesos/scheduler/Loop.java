// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.obmesos.driver.Threads;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The scheduler loop: the one thread that owns what the framework knows. */
final class Loop {
  private static final Logger log = LoggerFactory.getLogger(Loop.class);

  private final ScheduledThreadPoolExecutor executor = Threads.one("scheduler");

  ScheduledThreadPoolExecutor executor() {
    return executor;
  }

  /** Does it later; a fault is logged and ends nothing else. */
  void post(Runnable work) {
    executor.execute(
        () -> {
          try {
            work.run();
          } catch (RuntimeException e) {
            log.error("the scheduler met a fault", e);
          }
        });
  }

  /** Goes on when the store has done its part; a store that fails is logged. */
  void whenStored(CompletableFuture<Void> stored, Runnable then) {
    var unused =
        stored.whenComplete(
            (nothing, failure) -> {
              if (failure == null) {
                post(then);
              } else {
                log.error("what happened to a task could not be stored", failure);
              }
            });
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.util;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Creates executors whose threads have a name and are daemons. */
public final class NamedExecutors {
  private static final long IDLE_SECONDS = 10;

  private NamedExecutors() {}

  /** Creates an executor with one thread. Delayed tasks are dropped at its shutdown. */
  public static ScheduledThreadPoolExecutor single(String name) {
    ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, daemons(name));
    executor.setRemoveOnCancelPolicy(true);
    executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    return executor;
  }

  /** Creates an executor with at most {@code most} threads; idle ones end after ten seconds. */
  public static ThreadPoolExecutor bounded(String name, int most) {
    ThreadPoolExecutor executor =
        new ThreadPoolExecutor(
            most, most, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), daemons(name));
    executor.allowCoreThreadTimeOut(true);
    return executor;
  }

  /** Creates an executor with as many threads as there is work; idle ones end after a minute. */
  public static ExecutorService cached(String name) {
    return Executors.newCachedThreadPool(daemons(name));
  }

  private static ThreadFactory daemons(String name) {
    return work -> {
      Thread thread = new Thread(work, name);
      thread.setDaemon(true);
      return thread;
    };
  }
}

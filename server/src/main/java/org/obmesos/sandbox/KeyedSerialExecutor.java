// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ThreadPoolExecutor;
import org.obmesos.util.NamedExecutors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs jobs on a bounded number of threads, those of one key (an agent) one after the other, so
 * that an agent that does not answer delays only its own jobs. Of the jobs that wait for the same
 * key those of the highest priority run first. A job that throws is logged and does not stop the
 * others.
 */
final class KeyedSerialExecutor implements AutoCloseable {
  /** The priority of a job, the highest first. */
  enum Priority {
    /** The output of a task that has ended. */
    FINAL_OUTPUT,
    /** A request of a client. */
    REQUEST,
    /** The last lines of a running task. */
    TAIL
  }

  private static final Logger log = LoggerFactory.getLogger(KeyedSerialExecutor.class);
  private static final int MAX_THREADS = 32;

  private final ThreadPoolExecutor threads = NamedExecutors.bounded("sandbox-reader", MAX_THREADS);

  /** The waiting jobs of each key that has a running one. */
  private final Map<String, Map<Priority, Queue<Runnable>>> active = new HashMap<>();

  KeyedSerialExecutor() {
    threads.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy());
  }

  /** Runs a job after those of the same key that run or have a higher or the same priority. */
  synchronized void execute(String key, Priority priority, Runnable job) {
    Map<Priority, Queue<Runnable>> waiting = active.get(key);
    if (waiting != null) {
      waiting.computeIfAbsent(priority, unused -> new ArrayDeque<>()).add(job);
    } else {
      active.put(key, new EnumMap<>(Priority.class));
      threads.execute(() -> run(key, job));
    }
  }

  /** Runs one job and queues the next one of its key behind those of other keys. */
  private void run(String key, Runnable job) {
    try {
      job.run();
    } catch (RuntimeException | Error e) {
      log.error("unexpected exception while reading from {}", key, e);
    }
    next(key).ifPresent(next -> threads.execute(() -> run(key, next)));
  }

  private synchronized Optional<Runnable> next(String key) {
    for (Queue<Runnable> queue : active.get(key).values()) {
      if (!queue.isEmpty()) {
        return Optional.of(queue.remove());
      }
    }
    active.remove(key);
    return Optional.empty();
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}

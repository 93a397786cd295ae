// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ThreadPoolExecutor;
import org.obmesos.driver.Threads;

/**
 * Reads from many agents, from each one thing at a time: an agent that does not answer holds up
 * nobody but itself.
 */
final class Lanes implements AutoCloseable {
  /** From how many agents at once. */
  private static final int MOST = 32;

  private final ThreadPoolExecutor threads = Threads.several("sandbox-reader", MOST);

  /** What waits, for each agent that is being read from. */
  private final Map<String, Queue<Runnable>> busy = new HashMap<>();

  Lanes() {
    threads.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy());
  }

  /** Does the work once all that was asked for the same agent before is done. */
  synchronized void execute(String agent, Runnable work) {
    Queue<Runnable> waiting = busy.get(agent);
    if (waiting != null) {
      waiting.add(work);
    } else {
      busy.put(agent, new ArrayDeque<>());
      threads.execute(() -> run(agent, work));
    }
  }

  private void run(String agent, Runnable first) {
    Runnable work = first;
    while (work != null) {
      try {
        work.run();
      } finally {
        work = next(agent);
      }
    }
  }

  private synchronized Runnable next(String agent) {
    Runnable next = busy.get(agent).poll();
    if (next == null) {
      busy.remove(agent);
    }
    return next;
  }

  @Override
  public void close() {
    threads.shutdown();
  }
}

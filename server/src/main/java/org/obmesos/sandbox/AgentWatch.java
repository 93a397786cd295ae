// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.obmesos.util.NamedExecutors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out that an agent does not answer any more. The connection of a session says nothing while
 * its command does, so it cannot tell a silent command from an agent that has gone.
 */
final class AgentWatch implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(AgentWatch.class);
  private static final int MAX_MISSED = 3;
  private static final ScheduledThreadPoolExecutor TIMER = NamedExecutors.single("exec-watch");
  private static final ExecutorService THREADS = NamedExecutors.cached("exec-watch");

  private final AgentHttpClient agent;
  private final Duration interval;
  private final Runnable lost;
  private int missed;
  private volatile boolean closed;

  /**
   * Starts to ask an agent for its health.
   *
   * @param interval the time between an answer and the next request
   * @param lost runs when three requests in a row were not answered
   */
  AgentWatch(AgentHttpClient agent, Duration interval, Runnable lost) {
    this.agent = agent;
    this.interval = interval;
    this.lost = lost;
    next();
  }

  private void next() {
    if (!closed) {
      var unused =
          TIMER.schedule(
              () -> THREADS.execute(this::check), interval.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private void check() {
    try {
      // Any answer is one of an agent that lives; it may want credentials.
      var unused = agent.send(agent.request("/health"));
      missed = 0;
    } catch (IOException e) {
      missed++;
      log.debug("the agent {} does not answer: {}", agent.address(), e.getMessage());
    }
    if (missed < MAX_MISSED) {
      next();
    } else if (!closed) {
      lost.run();
    }
  }

  @Override
  public void close() {
    closed = true;
  }
}

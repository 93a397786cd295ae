// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos;

import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.obmesos.scheduler.Framework;
import org.obmesos.scheduler.FrameworkListener;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;

/** A server without a client on stdin (--headless). Its messages are written to stderr. */
final class HeadlessServer implements FrameworkListener {
  /** Shorter than the time service managers wait before SIGKILL. */
  private static final Duration MAX_SHUTDOWN = Duration.ofSeconds(12);

  private final Runnable terminate;

  private HeadlessServer(Runnable terminate) {
    this.terminate = terminate;
  }

  /**
   * Serves until a signal.
   *
   * @param start creates and starts the framework for a listener
   * @param terminate ends the process, after the store was lost
   */
  static void serve(Function<FrameworkListener, Framework> start, Runnable terminate) {
    CountDownLatch signal = new CountDownLatch(1);
    Thread server = Thread.currentThread();
    // The JVM ends when its shutdown hooks have ended, so the hook waits for the server.
    Thread hook =
        new Thread(
            () -> {
              signal.countDown();
              try {
                server.join(MAX_SHUTDOWN.toMillis());
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    Runtime.getRuntime().addShutdownHook(hook);
    Framework framework = start.apply(new HeadlessServer(terminate));
    try (framework) {
      signal.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void print(String message) {
    System.err.println("ob-mesos: " + message);
  }

  @Override
  public void status(Task task) {
    // The HTTP server reports it.
  }

  @Override
  public void ended(Task task, TaskResult result, String sandbox) {
    // The HTTP server reports it.
  }

  @Override
  public void deleted(Collection<TaskId> ids) {
    // The HTTP server reports it.
  }

  @Override
  public void output(TaskId id, String tail, long size) {
    // The HTTP server reports it.
  }

  @Override
  public void cluster(boolean connected, String message) {
    print(connected ? "connected" : message);
  }

  @Override
  public void warning(String message) {
    print(message);
  }

  @Override
  public void storeLost(String message) {
    print(message);
    terminate.run();
  }
}

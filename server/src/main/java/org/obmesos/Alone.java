// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.obmesos.scheduler.Framework;
import org.obmesos.scheduler.FrameworkListener;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;

/** A server without an Emacs: what would be told there is told on stderr. */
final class Alone implements FrameworkListener {
  /** A little less than what service managers wait before they kill. */
  private static final Duration LONGEST_END = Duration.ofSeconds(12);

  private Alone() {}

  /**
   * Serves until a signal.
   *
   * @param start makes and starts the framework for the listener it is given
   * @return true: a signal is an orderly end
   */
  static boolean serve(Function<FrameworkListener, Framework> start) {
    CountDownLatch signal = new CountDownLatch(1);
    Thread server = Thread.currentThread();
    // The Java machine is gone once this has ended, so it waits for all the rest.
    Thread hook =
        new Thread(
            () -> {
              signal.countDown();
              try {
                server.join(LONGEST_END.toMillis());
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    Runtime.getRuntime().addShutdownHook(hook);
    Framework framework = start.apply(new Alone());
    try (framework) {
      signal.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return true;
  }

  @Override
  public void status(Task task) {
    // The door has it.
  }

  @Override
  public void output(TaskId id, String tail, long size) {
    // The door has it.
  }

  @Override
  public void cluster(boolean connected, String message) {
    System.err.println("ob-mesos: " + (connected ? "connected" : message));
  }

  @Override
  public void warning(String message) {
    System.err.println("ob-mesos: " + message);
  }
}

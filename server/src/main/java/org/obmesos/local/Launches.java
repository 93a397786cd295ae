// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.obmesos.driver.Threads;

/**
 * From a task to its process, away from the cluster's thread: files are fetched, which can take
 * long and be ended; then the kernel is waited for, which cannot.
 */
final class Launches {
  private static final int LAUNCHERS = 2;

  /** Those that fetch files first do not keep others waiting. */
  private static final int FETCHERS = 4;

  private final ExecutorService launchers = Threads.several("local-launch", LAUNCHERS);
  private final ExecutorService fetchers = Threads.several("local-fetch", FETCHERS);
  private final Executor loop;
  private final Outcome outcome;

  /** What becomes of a launch; called on the cluster's thread. */
  interface Outcome {
    void started(LocalTask task, Process process);

    void notStarted(LocalTask task, IOException why);
  }

  Launches(Executor loop, Outcome outcome) {
    this.loop = loop;
    this.outcome = outcome;
  }

  /** A step that can fail with a message for the user. */
  private interface Step {
    void run() throws IOException;
  }

  private Runnable attempt(LocalTask task, Step step) {
    return () -> {
      try {
        step.run();
      } catch (IOException e) {
        loop.execute(() -> outcome.notStarted(task, e));
      }
    };
  }

  /** Begins; called on the cluster's thread. */
  void begin(Launcher launcher, String frameworkId, LocalTask task) {
    Step launch =
        () -> {
          Process process = launcher.launch(frameworkId, task.info());
          loop.execute(() -> outcome.started(task, process));
        };
    if (task.info().getCommand().getUrisCount() == 0) {
      launchers.execute(
          attempt(
              task,
              () -> {
                launcher.prepare(frameworkId, task.info());
                launch.run();
              }));
      return;
    }
    Step fetch =
        () -> {
          launcher.prepare(frameworkId, task.info());
          loop.execute(
              () -> {
                if (!task.hasEnded()) {
                  launchers.execute(attempt(task, launch));
                }
              });
        };
    FutureTask<Void> fetching = new FutureTask<>(attempt(task, fetch), null);
    task.fetchedBy(fetching);
    fetchers.execute(fetching);
  }

  /**
   * Ends: a launch in the middle is either done or has not begun when this process ends; a fetch is
   * given up.
   *
   * @return whether that was done in time
   */
  boolean close() throws InterruptedException {
    launchers.shutdown();
    fetchers.shutdownNow();
    return launchers.awaitTermination(2, TimeUnit.SECONDS);
  }
}

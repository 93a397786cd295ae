// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.obmesos.util.NamedExecutors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Launches tasks on threads of its own: first fetches files, which can take long and be cancelled,
 * then starts the process, which cannot.
 */
final class LaunchExecutor {
  private static final Logger log = LoggerFactory.getLogger(LaunchExecutor.class);
  private static final int MAX_LAUNCHERS = 2;

  /** Tasks that fetch files do not delay others. */
  private static final int MAX_FETCHERS = 4;

  /** Kills that wait are sent before the end, on a busy machine too. */
  private static final long CLOSE_SECONDS = 10;

  private final ExecutorService launchers = NamedExecutors.bounded("local-launch", MAX_LAUNCHERS);
  private final ExecutorService fetchers = NamedExecutors.bounded("local-fetch", MAX_FETCHERS);
  private final Executor thread;
  private final Outcome outcome;

  /** Receives the outcome of launches, on the cluster's thread. */
  interface Outcome {
    /** From now on the supervisor says what becomes of the task. */
    void handedOver(LocalTask task, Supervisor supervisor);

    void failed(LocalTask task, String message);
  }

  /**
   * Creates an executor.
   *
   * @param thread the cluster's thread
   */
  LaunchExecutor(Executor thread, Outcome outcome) {
    this.thread = thread;
    this.outcome = outcome;
  }

  /** A step of a launch. */
  interface Step {
    void run() throws IOException;
  }

  private Runnable attempt(LocalTask task, Step step) {
    return () -> {
      try {
        step.run();
      } catch (IOException | RuntimeException e) {
        thread.execute(() -> outcome.failed(task, String.valueOf(e.getMessage())));
      }
    };
  }

  /** Launches a task; called on the cluster's thread. */
  void launch(Launcher launcher, String frameworkId, LocalTask task) {
    Step start = () -> handOver(launcher, frameworkId, task);
    if (task.info().getCommand().getUrisCount() == 0) {
      launchers.execute(
          attempt(
              task,
              () -> {
                launcher.prepare(frameworkId, task.info());
                start.run();
              }));
      return;
    }
    Step fetch =
        () -> {
          launcher.prepare(frameworkId, task.info());
          thread.execute(
              () -> {
                if (!task.hasEnded()) {
                  launchers.execute(attempt(task, start));
                }
              });
        };
    FutureTask<Void> fetching = new FutureTask<>(attempt(task, fetch), null);
    task.setFetch(fetching);
    fetchers.execute(fetching);
  }

  private void handOver(Launcher launcher, String frameworkId, LocalTask task) throws IOException {
    JsonObject specification = launcher.specification(frameworkId, task.info());
    Supervisor supervisor = launcher.supervisor();
    thread.execute(() -> outcome.handedOver(task, supervisor));
    try {
      supervisor.launch(task.id(), specification);
      if (task.isKillRequested()) {
        supervisor.kill(task.id());
      }
    } catch (IOException e) {
      // The supervisor was killed, which its connection tells too.
      log.debug("task {} was not handed over", task.id(), e);
    }
  }

  /** Launches a task again that no supervisor has started. */
  void launchAgain(Launcher launcher, String frameworkId, LocalTask task) {
    launchers.execute(attempt(task, () -> handOver(launcher, frameworkId, task)));
  }

  /** Runs a job that is not for the cluster's thread because it can wait. */
  void execute(Step job) {
    launchers.execute(
        () -> {
          try {
            job.run();
          } catch (IOException e) {
            log.warn("{}", e.getMessage());
          }
        });
  }

  /**
   * Finishes the launches that have begun and cancels fetches.
   *
   * @return whether that was done in time
   */
  boolean close() throws InterruptedException {
    launchers.shutdown();
    fetchers.shutdownNow();
    return launchers.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
  }
}

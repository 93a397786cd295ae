// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.mesos.v1.Protos.HealthCheck;
import org.obmesos.util.NamedExecutors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs health checks (Mesos' docs/health-checks.md). The checks themselves run on threads of their
 * own, all else on the cluster's thread.
 */
final class HealthChecks {
  private static final Logger log = LoggerFactory.getLogger(HealthChecks.class);
  private static final int MAX_CHECKERS = 4;

  private final Clock clock;
  private final ExecutorService checkers = NamedExecutors.bounded("local-health", MAX_CHECKERS);

  /** Created on first use: a client has threads, and few checks use HTTP. */
  private static final class ClientHolder {
    private static final HttpClient CLIENT =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  }

  HealthChecks(Clock clock) {
    this.clock = clock;
  }

  /** Schedules jobs on the cluster's thread. */
  interface Clock {
    /** Runs a job after a delay. */
    void schedule(long millis, Runnable job);
  }

  /** A task with a health check. */
  interface HealthCheckTarget {
    /** Returns whether it is still to be checked. */
    boolean isActive();

    /** Its health has changed, or was checked for the first time. */
    void healthChanged(boolean healthy);

    /** Too many checks in a row have failed. */
    void failed();

    /** Prepares a shell command in the task's environment. */
    ProcessBuilder process(String command) throws IOException;
  }

  void start(HealthCheck check, HealthCheckTarget target) {
    new Check(check, target).next((long) (check.getDelaySeconds() * 1000));
  }

  void close() {
    checkers.shutdownNow();
  }

  /** The checks of one task. */
  private final class Check {
    private final HealthCheck check;
    private final HealthCheckTarget target;
    private final Instant start = Instant.now();
    private Optional<Boolean> last = Optional.empty();
    private int failures;

    Check(HealthCheck check, HealthCheckTarget target) {
      this.check = check;
      this.target = target;
    }

    void next(long millis) {
      clock.schedule(
          millis,
          () -> {
            if (target.isActive()) {
              run(healthy -> clock.schedule(0, () -> finished(healthy)));
            }
          });
    }

    private void run(Consumer<Boolean> then) {
      checkers.execute(() -> then.accept(isHealthy()));
    }

    private void finished(boolean healthy) {
      if (!target.isActive()) {
        return;
      }
      boolean grace =
          last.isEmpty()
              && Instant.now()
                  .isBefore(start.plusMillis((long) (check.getGracePeriodSeconds() * 1000)));
      if (healthy || !grace) {
        failures = healthy ? 0 : failures + 1;
        if (!last.equals(Optional.of(healthy))) {
          last = Optional.of(healthy);
          target.healthChanged(healthy);
        }
      }
      if (failures >= check.getConsecutiveFailures()) {
        target.failed();
      } else {
        next((long) (check.getIntervalSeconds() * 1000));
      }
    }

    private boolean isHealthy() {
      Duration timeout = Duration.ofMillis((long) (check.getTimeoutSeconds() * 1000));
      try {
        return switch (check.getType()) {
          case COMMAND -> commandSucceeds(target.process(check.getCommand().getValue()), timeout);
          case HTTP -> answersHttp(timeout);
          case TCP -> acceptsConnection(timeout);
          default -> true;
        };
      } catch (IOException | IllegalArgumentException e) {
        log.debug("a health check has failed", e);
        return false;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }

    private boolean answersHttp(Duration timeout) throws IOException, InterruptedException {
      URI uri =
          URI.create("http://127.0.0.1:" + check.getHttp().getPort() + check.getHttp().getPath());
      int status =
          ClientHolder.CLIENT
              .send(
                  HttpRequest.newBuilder(uri).timeout(timeout).build(),
                  HttpResponse.BodyHandlers.discarding())
              .statusCode();
      return status >= 200 && status < 400;
    }

    private boolean acceptsConnection(Duration timeout) throws IOException {
      try (Socket socket = new Socket()) {
        socket.connect(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), check.getTcp().getPort()),
            (int) timeout.toMillis());
        return true;
      }
    }
  }

  private static boolean commandSucceeds(ProcessBuilder builder, Duration timeout)
      throws IOException, InterruptedException {
    Process process =
        builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    if (process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
      return process.exitValue() == 0;
    }
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    return false;
  }
}

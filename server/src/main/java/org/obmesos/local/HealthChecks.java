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
import org.obmesos.driver.Threads;

/**
 * Sees whether tasks do what they are for (Mesos' docs/health-checks.md). A check can take its time
 * and is made elsewhere; all else happens on the cluster's thread.
 */
final class HealthChecks {
  private static final int CHECKERS = 4;

  private final Clock clock;
  private final ExecutorService checkers = Threads.several("local-health", CHECKERS);

  /** Made when it is wanted: a client has threads, and few tasks are asked over HTTP. */
  private static final class Web {
    private static final HttpClient CLIENT =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  }

  HealthChecks(Clock clock) {
    this.clock = clock;
  }

  /** The cluster's thread. */
  interface Clock {
    /** Does something there after some time. */
    void after(long millis, Runnable work);
  }

  /** What a check means for a task. */
  interface Patient {
    /** Whether it is to be looked at still. */
    boolean lives();

    /** It is well, or not, for the first time or again. */
    void seen(boolean healthy);

    /** It was not well too often. */
    void givenUp();

    /** Makes a process of a command in the task's own surroundings. */
    ProcessBuilder process(String command) throws IOException;
  }

  void begin(HealthCheck check, Patient patient) {
    new Watch(check, patient).next((long) (check.getDelaySeconds() * 1000));
  }

  void close() {
    checkers.shutdownNow();
  }

  /** One task under watch. */
  private final class Watch {
    private final HealthCheck check;
    private final Patient patient;
    private final Instant start = Instant.now();
    private Optional<Boolean> last = Optional.empty();
    private int failures;

    Watch(HealthCheck check, Patient patient) {
      this.check = check;
      this.patient = patient;
    }

    void next(long millis) {
      clock.after(
          millis,
          () -> {
            if (patient.lives()) {
              look(healthy -> clock.after(0, () -> seen(healthy)));
            }
          });
    }

    private void look(Consumer<Boolean> then) {
      checkers.execute(() -> then.accept(isHealthy()));
    }

    private void seen(boolean healthy) {
      if (!patient.lives()) {
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
          patient.seen(healthy);
        }
      }
      if (failures >= check.getConsecutiveFailures()) {
        patient.givenUp();
      } else {
        next((long) (check.getIntervalSeconds() * 1000));
      }
    }

    private boolean isHealthy() {
      Duration patience = Duration.ofMillis((long) (check.getTimeoutSeconds() * 1000));
      try {
        return switch (check.getType()) {
          case COMMAND -> succeeds(patient.process(check.getCommand().getValue()), patience);
          case HTTP -> answers(patience);
          case TCP -> accepts(patience);
          default -> true;
        };
      } catch (IOException e) {
        return false;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }

    private boolean answers(Duration patience) throws IOException, InterruptedException {
      URI uri =
          URI.create("http://127.0.0.1:" + check.getHttp().getPort() + check.getHttp().getPath());
      int status =
          Web.CLIENT
              .send(
                  HttpRequest.newBuilder(uri).timeout(patience).build(),
                  HttpResponse.BodyHandlers.discarding())
              .statusCode();
      return status >= 200 && status < 400;
    }

    private boolean accepts(Duration patience) throws IOException {
      try (Socket socket = new Socket()) {
        socket.connect(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), check.getTcp().getPort()),
            (int) patience.toMillis());
        return true;
      }
    }
  }

  private static boolean succeeds(ProcessBuilder builder, Duration patience)
      throws IOException, InterruptedException {
    Process process =
        builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    if (process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
      return process.exitValue() == 0;
    }
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    return false;
  }
}

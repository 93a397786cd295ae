// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.mesos.v1.Protos.Credential;
import org.apache.mesos.v1.scheduler.Mesos;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.apache.mesos.v1.scheduler.V1Mesos;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A driver that uses Mesos' native library. The library does not report how a call was answered.
 */
public final class NativeMesos implements SchedulerDriver {
  private static final Logger log = LoggerFactory.getLogger(NativeMesos.class);
  private static final String LIBRARY = "MESOS_NATIVE_JAVA_LIBRARY";

  private final Scheduler scheduler;
  private final String master;
  private final Optional<Credentials> credentials;
  private final Consumer<String> trouble;

  /** A strong reference: the library holds only a weak one. */
  private volatile Optional<V1Mesos> mesos = Optional.empty();

  private final String library;
  private volatile boolean closed;

  /**
   * Creates a driver for the library that the environment names; not started yet.
   *
   * @param master {@code host:port} or {@code zk://...}
   * @param trouble is called with a sentence that says why there is no connection
   */
  public NativeMesos(
      Scheduler scheduler,
      String master,
      Optional<Credentials> credentials,
      Consumer<String> trouble) {
    this(System.getenv(LIBRARY), scheduler, master, credentials, trouble);
  }

  NativeMesos(
      String library,
      Scheduler scheduler,
      String master,
      Optional<Credentials> credentials,
      Consumer<String> trouble) {
    this.library = library;
    this.scheduler = Objects.requireNonNull(scheduler, "scheduler");
    this.master = Objects.requireNonNull(master, "master");
    this.credentials = Objects.requireNonNull(credentials, "credentials");
    this.trouble = Objects.requireNonNull(trouble, "trouble");
  }

  /** An exception in a callback would abort the process. */
  private final class Guarded implements Scheduler {
    @Override
    public void connected(Mesos library) {
      guard(() -> scheduler.connected(NativeMesos.this));
    }

    @Override
    public void disconnected(Mesos library) {
      guard(() -> scheduler.disconnected(NativeMesos.this));
    }

    @Override
    public void received(Mesos library, Event event) {
      guard(() -> scheduler.received(NativeMesos.this, event));
    }

    private void guard(Runnable callback) {
      try {
        if (!closed) {
          callback.run();
        }
      } catch (RuntimeException e) {
        log.error("unexpected exception in the scheduler", e);
      }
    }
  }

  @Override
  public void start() {
    if (library == null || library.isBlank()) {
      trouble.accept(
          "The native driver needs Mesos' library: set "
              + LIBRARY
              + " to libmesos.so's path, or"
              + " leave --driver native out, which needs no library");
      return;
    }
    try {
      mesos =
          Optional.of(
              credentials.isPresent()
                  ? new V1Mesos(new Guarded(), master, credential(credentials.get()))
                  : new V1Mesos(new Guarded(), master));
    } catch (LinkageError e) {
      trouble.accept("Mesos' library cannot be used: " + e.getMessage());
    }
  }

  private static Credential credential(Credentials ours) {
    return Credential.newBuilder().setPrincipal(ours.principal()).setSecret(ours.secret()).build();
  }

  @Override
  public CompletableFuture<Void> call(Call call) {
    if (mesos.isEmpty() || closed) {
      return CompletableFuture.failedFuture(new IllegalStateException("there is no connection"));
    }
    mesos.get().send(call);
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public void reconnect() {
    mesos.ifPresent(V1Mesos::reconnect);
  }

  /** Ignores further events; the library itself ends with the process. */
  @Override
  public void close() {
    closed = true;
  }
}

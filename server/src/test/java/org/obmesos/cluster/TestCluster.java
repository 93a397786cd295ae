// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.scheduler.Mesos;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.obmesos.local.LocalMesos;
import org.obmesos.local.LocalOptions;
import org.obmesos.task.Resources;

/** The embedded cluster, for one or more {@link TestMaster}s to stand before. */
final class TestCluster implements ClusterFixture, Scheduler, AutoCloseable {
  private final Path directory;
  private final LocalMesos mesos;
  private final CountDownLatch started = new CountDownLatch(1);
  private volatile FrameworkID framework = FrameworkID.getDefaultInstance();
  private volatile Consumer<Event> subscriber = event -> {};

  TestCluster(Path directory) throws InterruptedException {
    this.directory = directory;
    this.mesos =
        new LocalMesos(
            this,
            new LocalOptions(
                directory, new Resources(8, 8192, 16384), Duration.ofDays(7), Set.of()));
    mesos.start();
    started.await();
  }

  @Override
  public Path directory() {
    return directory;
  }

  @Override
  public void subscriber(Consumer<Event> next) {
    subscriber = next;
  }

  @Override
  public CompletableFuture<Void> call(Call call) {
    return mesos.call(call);
  }

  @Override
  public void connected(Mesos connected) {
    started.countDown();
  }

  @Override
  public void disconnected(Mesos disconnected) {}

  @Override
  public void received(Mesos from, Event event) {
    if (event.hasSubscribed()) {
      framework = event.getSubscribed().getFrameworkId();
    }
    subscriber.accept(event);
  }

  /** Ends all tasks too. */
  @Override
  public void close() {
    if (framework.hasValue()) {
      mesos.send(Call.newBuilder().setType(Call.Type.TEARDOWN).setFrameworkId(framework).build());
    }
    mesos.close();
    awaitNoProcesses(directory);
  }

  /** A task's supervisor writes until its end; only then the directory can go. */
  static void awaitNoProcesses(Path directory) {
    // Without Awaitility: TestMasterMain runs without the libraries of the tests.
    ProcessHandle.allProcesses()
        .filter(process -> commandLine(process).contains(directory.toString()))
        .forEach(TestCluster::awaitEnd);
  }

  private static void awaitEnd(ProcessHandle process) {
    String command = commandLine(process);
    process
        .onExit()
        .orTimeout(30, TimeUnit.SECONDS)
        .exceptionally(
            timeout -> {
              throw new AssertionError(
                  "still runs: "
                      + command
                      + " and "
                      + process.descendants().map(TestCluster::commandLine).toList(),
                  timeout);
            })
        .join();
  }

  private static String commandLine(ProcessHandle process) {
    return process.info().commandLine().orElse("");
  }
}

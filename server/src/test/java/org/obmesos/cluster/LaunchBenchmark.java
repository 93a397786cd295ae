// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.OfferID;
import org.apache.mesos.v1.Protos.Resource;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.obmesos.driver.HttpMesos;
import org.obmesos.driver.MasterAddress;
import org.obmesos.driver.MesosHttpClient;
import org.obmesos.driver.MesosResources;
import org.obmesos.sandbox.AgentSandboxes;
import org.obmesos.scheduler.Framework;
import org.obmesos.scheduler.FrameworkListener;
import org.obmesos.scheduler.Retention;
import org.obmesos.store.Store;
import org.obmesos.task.Block;
import org.obmesos.task.Origin;
import org.obmesos.task.Requirements;
import org.obmesos.task.Resources;
import org.obmesos.task.Task;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** From blocks that are submitted to their launches at the master: store, placement, HTTP. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(value = 1, jvmArgsAppend = "-Dcom.google.protobuf.use_unsafe_pre22_gencode=true")
@Warmup(iterations = 3, batchSize = 1, time = 1)
@Measurement(iterations = 5, batchSize = 1, time = 1)
public class LaunchBenchmark {
  private static final int TASKS = 5000;

  private Path directory;
  private Hollow cluster;
  private TestMaster master;
  private Store store;
  private Framework framework;
  private List<Block> blocks;

  /** A cluster of endless room that launches nothing. */
  private static final class Hollow implements ClusterFixture {
    private final CountDownLatch launched = new CountDownLatch(TASKS);
    private volatile Consumer<Event> subscriber = event -> {};
    private int offers;

    @Override
    public Path directory() {
      return Path.of("/nonexistent");
    }

    @Override
    public void subscriber(Consumer<Event> next) {
      subscriber = next;
    }

    @Override
    public CompletableFuture<Void> call(Call call) {
      switch (call.getType()) {
        case SUBSCRIBE ->
            subscriber.accept(
                Event.newBuilder()
                    .setType(Event.Type.SUBSCRIBED)
                    .setSubscribed(
                        Event.Subscribed.newBuilder()
                            .setFrameworkId(FrameworkID.newBuilder().setValue("framework")))
                    .build());
        case REVIVE -> offer();
        case ACCEPT ->
            call.getAccept()
                .getOperationsList()
                .forEach(
                    operation ->
                        operation
                            .getLaunch()
                            .getTaskInfosList()
                            .forEach(task -> launched.countDown()));
        default -> {
          // Nothing happens here.
        }
      }
      return CompletableFuture.completedFuture(null);
    }

    private void offer() {
      subscriber.accept(
          Event.newBuilder()
              .setType(Event.Type.OFFERS)
              .setOffers(
                  Event.Offers.newBuilder()
                      .addOffers(
                          Offer.newBuilder()
                              .setId(OfferID.newBuilder().setValue("offer-" + offers++))
                              .setFrameworkId(FrameworkID.newBuilder().setValue("framework"))
                              .setAgentId(AgentID.newBuilder().setValue("agent"))
                              .setHostname("localhost")
                              .setAllocationInfo(Resource.AllocationInfo.newBuilder().setRole("*"))
                              .addAllResources(
                                  MesosResources.list(new Resources(1e6, 1e8, 1e8), "*"))))
              .build());
    }
  }

  /** A new framework, with a store on disk, subscribed to a master on loopback. */
  @Setup(Level.Invocation)
  public void start() throws Exception {
    directory = Files.createTempDirectory("ob-mesos-launch");
    cluster = new Hollow();
    master = new TestMaster(cluster);
    store = new Store(directory.resolve("store.db"));
    CountDownLatch up = new CountDownLatch(1);
    MesosHttpClient web = MesosHttpClient.of(Optional.empty(), MesosHttpClient.Trust.SYSTEM);
    framework =
        new Framework(
            store,
            new AgentSandboxes(web, Map.of()),
            TestOptions.of(Optional.empty(), Retention.DEFAULT),
            listener(up),
            scheduler ->
                HttpMesos.of(scheduler, MasterAddress.parse(master.address()), web, why -> {}));
    up.await();
    blocks =
        IntStream.range(0, TASKS)
            .mapToObj(
                n ->
                    TestBlocks.needing(
                        TestBlocks.from(
                            TestBlocks.of("task-" + n, "echo " + n),
                            new Origin("name", "/home/user/document.org")),
                        new Requirements(new Resources(0.1, 128, 0))))
            .toList();
  }

  private static FrameworkListener listener(CountDownLatch up) {
    return new RecordingListener() {
      @Override
      public void status(Task task) {}

      @Override
      public void cluster(boolean isConnected, String message) {
        if (isConnected) {
          up.countDown();
        }
      }
    };
  }

  /** Ends it all. */
  @TearDown(Level.Invocation)
  public void stop() throws IOException {
    framework.close();
    store.close();
    master.close();
    try (var files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  /** Tasks a second. */
  @Benchmark
  @OperationsPerInvocation(TASKS)
  public List<Block> launch() throws InterruptedException {
    framework.submit(blocks, Map.of()).join();
    cluster.launched.await();
    return blocks;
  }
}

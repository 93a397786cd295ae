// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.OfferID;
import org.apache.mesos.v1.Protos.Resource;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.obmesos.cluster.TestBlocks;
import org.obmesos.cluster.TestOptions;
import org.obmesos.driver.MesosResources;
import org.obmesos.driver.SchedulerDriver;
import org.obmesos.sandbox.AgentMetrics;
import org.obmesos.sandbox.ExecRequest;
import org.obmesos.sandbox.Execution;
import org.obmesos.sandbox.Sandbox;
import org.obmesos.sandbox.Sandboxes;
import org.obmesos.store.Store;
import org.obmesos.task.Block;
import org.obmesos.task.Resources;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;

/** A kill that arrives with the offer for its task follows the launch. */
final class LaunchOrderTest implements FrameworkListener {
  private static final FrameworkID ID = FrameworkID.newBuilder().setValue("framework").build();

  @TempDir private Path directory;
  private final CountDownLatch reached = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);
  private Driver driver;

  /** A master that accepts every call, and makes an offer when it is told to. */
  private static final class Driver implements SchedulerDriver {
    private final Scheduler scheduler;
    private final List<Call.Type> calls = new CopyOnWriteArrayList<>();

    Driver(Scheduler scheduler) {
      this.scheduler = scheduler;
    }

    @Override
    public void start() {
      scheduler.connected(this);
    }

    @Override
    public CompletableFuture<Void> call(Call call) {
      calls.add(call.getType());
      if (call.getType() == Call.Type.SUBSCRIBE) {
        scheduler.received(
            this,
            Event.newBuilder()
                .setType(Event.Type.SUBSCRIBED)
                .setSubscribed(Event.Subscribed.newBuilder().setFrameworkId(ID))
                .build());
      }
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public void reconnect() {}

    @Override
    public void close() {}

    void offer() {
      Offer offer =
          Offer.newBuilder()
              .setId(OfferID.newBuilder().setValue("offer"))
              .setFrameworkId(ID)
              .setAgentId(AgentID.newBuilder().setValue("agent"))
              .setHostname("localhost")
              .setAllocationInfo(Resource.AllocationInfo.newBuilder().setRole("*"))
              .addAllResources(MesosResources.list(new Resources(10, 10_000, 10_000), "*"))
              .build();
      scheduler.received(
          this,
          Event.newBuilder()
              .setType(Event.Type.OFFERS)
              .setOffers(Event.Offers.newBuilder().addOffers(offer))
              .build());
    }
  }

  private void hold() {
    reached.countDown();
    try {
      released.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void status(Task task) {}

  @Override
  public void ended(Task task, TaskResult result, String location) {}

  @Override
  public void deleted(Collection<TaskId> ids) {}

  @Override
  public void output(TaskId id, String tail, long size) {}

  @Override
  public void cluster(boolean connected, String message) {}

  @Override
  public void warning(String message) {}

  @Override
  public void storeLost(String message) {}

  private static final Sandboxes NO_SANDBOXES =
      new Sandboxes() {
        @Override
        public Sandbox of(Task task) {
          return Sandbox.EMPTY;
        }

        @Override
        public Execution exec(Task task, ExecRequest request) {
          throw new UnsupportedOperationException();
        }

        @Override
        public AgentMetrics metrics(String url) {
          return AgentMetrics.NONE;
        }

        @Override
        public void delete(Task task) {}
      };

  private static Block block(boolean inSession) {
    Block block = TestBlocks.of("task", "echo");
    return inSession ? TestBlocks.inSession(block, "s") : block;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aKillFollowsTheLaunch(boolean inSession) throws Exception {
    try (Store store = new Store(directory.resolve("store.db"));
        Framework framework =
            new Framework(
                store,
                NO_SANDBOXES,
                TestOptions.of(Optional.empty(), Retention.DEFAULT),
                this,
                scheduler -> {
                  driver = new Driver(scheduler);
                  return driver;
                })) {
      framework.submit(List.of(block(inSession)), Map.of()).join();
      await().until(() -> driver.calls.contains(Call.Type.REVIVE));
      // All that is asked for in one turn of the thread is one transaction.
      var executor = Framework.class.getDeclaredField("executor");
      executor.setAccessible(true);
      ((SchedulerExecutor) executor.get(framework)).execute(this::hold);
      reached.await();
      driver.offer();
      CompletableFuture<?> killed = framework.kill(List.of(new TaskId("task")));
      released.countDown();
      killed.join();
      await().until(() -> driver.calls.containsAll(List.of(Call.Type.ACCEPT, Call.Type.KILL)));
      assertThat(driver.calls).containsSubsequence(Call.Type.ACCEPT, Call.Type.KILL);
    }
  }
}

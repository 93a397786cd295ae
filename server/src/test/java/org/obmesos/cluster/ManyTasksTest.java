// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.mesos.v1.Protos;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.obmesos.driver.MesosResources;
import org.obmesos.driver.SchedulerDriver;
import org.obmesos.sandbox.AgentMetrics;
import org.obmesos.sandbox.ExecRequest;
import org.obmesos.sandbox.Execution;
import org.obmesos.sandbox.Sandbox;
import org.obmesos.sandbox.Sandboxes;
import org.obmesos.scheduler.Framework;
import org.obmesos.scheduler.FrameworkOptions;
import org.obmesos.scheduler.Retention;
import org.obmesos.store.Store;
import org.obmesos.task.Block;
import org.obmesos.task.Resources;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;

/** A server that has run 100,000 tasks is as small as one that has run a few thousand. */
final class ManyTasksTest {
  private static final int JOB = 1000;
  private static final int JOBS = 100;
  private static final int KEPT = 1000;

  @TempDir Path directory;

  /** A master with one agent on which each task ends at once. */
  private static final class InstantDriver implements SchedulerDriver {
    private static final FrameworkID ID = FrameworkID.newBuilder().setValue("framework").build();

    private final Scheduler scheduler;
    private long count;

    InstantDriver(Scheduler scheduler) {
      this.scheduler = scheduler;
    }

    @Override
    public void start() {
      scheduler.connected(this);
    }

    @Override
    public synchronized CompletableFuture<Void> call(Call call) {
      switch (call.getType()) {
        case SUBSCRIBE ->
            receive(
                Event.newBuilder()
                    .setType(Event.Type.SUBSCRIBED)
                    .setSubscribed(Event.Subscribed.newBuilder().setFrameworkId(ID)));
        case REVIVE -> offer();
        case ACCEPT -> {
          call.getAccept()
              .getOperationsList()
              .forEach(
                  operation ->
                      operation
                          .getLaunch()
                          .getTaskInfosList()
                          .forEach(task -> finish(task.getTaskId())));
          offer();
        }
        default -> {
          // An acknowledgement, or a decline.
        }
      }
      return CompletableFuture.completedFuture(null);
    }

    private void receive(Event.Builder event) {
      scheduler.received(this, event.build());
    }

    private void finish(Protos.TaskID task) {
      receive(
          Event.newBuilder()
              .setType(Event.Type.UPDATE)
              .setUpdate(
                  Event.Update.newBuilder()
                      .setStatus(
                          Protos.TaskStatus.newBuilder()
                              .setTaskId(task)
                              .setAgentId(Protos.AgentID.newBuilder().setValue("agent"))
                              .setState(Protos.TaskState.TASK_FINISHED)
                              .setSource(Protos.TaskStatus.Source.SOURCE_EXECUTOR)
                              .setUuid(
                                  ByteString.copyFrom(
                                      ByteBuffer.allocate(16).putLong(0, count++))))));
    }

    private void offer() {
      receive(
          Event.newBuilder()
              .setType(Event.Type.OFFERS)
              .setOffers(
                  Event.Offers.newBuilder()
                      .addOffers(
                          Protos.Offer.newBuilder()
                              .setId(Protos.OfferID.newBuilder().setValue("offer-" + count++))
                              .setFrameworkId(ID)
                              .setAgentId(Protos.AgentID.newBuilder().setValue("agent"))
                              .setHostname("localhost")
                              .setAllocationInfo(
                                  Protos.Resource.AllocationInfo.newBuilder().setRole("*"))
                              .addAllResources(
                                  MesosResources.list(new Resources(1e6, 1e8, 1e8), "*")))));
    }

    @Override
    public void reconnect() {}

    @Override
    public void close() {}
  }

  private static final class EmptySandboxes implements Sandboxes {
    @Override
    public Sandbox of(Task task) {
      return Sandbox.EMPTY;
    }

    @Override
    public Execution exec(Task task, ExecRequest request) throws IOException {
      throw new IOException("there is no process");
    }

    @Override
    public AgentMetrics metrics(String agentUrl) {
      return AgentMetrics.NONE;
    }

    @Override
    public void delete(Task task) {}
  }

  private static List<Block> job(int job) {
    return IntStream.range(0, JOB)
        .mapToObj(n -> TestBlocks.of("task-" + job + "-" + n, "echo " + "x".repeat(1000)))
        .toList();
  }

  private static long heap() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  @Test
  void memoryAndDatabaseStaySmall() throws Exception {
    Semaphore ended = new Semaphore(0);
    RecordingListener listener =
        new RecordingListener() {
          @Override
          public void status(Task task) {}

          @Override
          public void ended(Task task, TaskResult result, String sandbox) {
            ended.release();
          }

          @Override
          public void deleted(Collection<TaskId> ids) {}
        };
    FrameworkOptions options =
        TestOptions.of(Optional.empty(), new Retention(Duration.ofDays(30), KEPT));
    Path file = directory.resolve("store.db");
    Store store = new Store(file);
    Framework framework =
        new Framework(store, new EmptySandboxes(), options, listener, InstantDriver::new);
    try {
      long heap = 0;
      long database = 0;
      for (int job = 0; job < JOBS; job++) {
        framework.submit(job(job), Map.of()).join();
        assertThat(ended.tryAcquire(JOB, 1, TimeUnit.MINUTES)).as("job %s ends", job).isTrue();
        if (job == 2 * KEPT / JOB) {
          heap = heap();
          database = Files.size(file);
        }
      }
      assertThat(heap()).isLessThan(heap + (8 << 20));
      assertThat(Files.size(file)).isLessThan(3 * database);
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> framework.list().join().size() <= KEPT + KEPT / 10);
    } finally {
      framework.close();
      store.close();
    }
  }
}

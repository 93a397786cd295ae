// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.apache.mesos.v1.Protos.TaskState.TASK_FAILED;
import static org.apache.mesos.v1.Protos.TaskState.TASK_FINISHED;
import static org.apache.mesos.v1.Protos.TaskState.TASK_KILLED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.apache.mesos.v1.Protos.TaskStatus;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.junit.jupiter.api.Test;
import org.obmesos.driver.SchedulerDriver;
import org.obmesos.local.LocalMesos;
import org.obmesos.local.LocalOptions;
import org.obmesos.local.LocalSandboxes;
import org.obmesos.sandbox.Sandboxes;
import org.obmesos.task.Resources;

/** The embedded cluster. */
final class LocalMesosTest extends ConformanceTest {
  @Override
  SchedulerDriver connect(Scheduler scheduler) {
    return new LocalMesos(
        scheduler,
        new LocalOptions(directory, new Resources(8, 8192, 16384), Duration.ofDays(7), Set.of()));
  }

  @Override
  Sandboxes sandboxes() {
    return new LocalSandboxes(directory);
  }

  @Test
  void aFetchThatNeverEndsIsEndedByAKill() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    try (ServerSocket never = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread listener =
          new Thread(
              () -> {
                try (Socket taken = never.accept()) {
                  asked.countDown();
                  taken.getInputStream().transferTo(OutputStream.nullOutputStream());
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
      listener.start();
      TaskInfo.Builder endless = task("endless", "true");
      endless
          .getCommandBuilder()
          .addUrisBuilder()
          .setValue("http://localhost:" + never.getLocalPort() + "/file");
      launch(lastOffer(), endless);
      assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
      kill("endless");
      TaskStatus last = ended("endless");
      assertThat(last.getState()).isEqualTo(TASK_KILLED);
      assertThat(last.getMessage()).isEqualTo("Killed while its files were fetched");
      listener.join(TimeUnit.SECONDS.toMillis(30));
      assertThat(listener.isAlive()).isFalse();
    }
  }

  @Test
  void theTasksOfASupervisorThatIsKilledFailAndTheNextOnesRun() throws Exception {
    Path written = directory.resolve("pid");
    launch(lastOffer(), task("lost", "echo $$ > " + written + "; exec sleep 1000"));
    await().until(() -> Files.exists(written) && !Files.readString(written).isBlank());
    String script = directory.resolve("supervisor.pl").toString();
    ProcessHandle.allProcesses()
        .filter(process -> process.info().commandLine().orElse("").contains(script))
        .forEach(ProcessHandle::destroyForcibly);
    TaskStatus last = ended("lost");
    assertThat(last.getState()).isEqualTo(TASK_FAILED);
    assertThat(last.getReason()).isEqualTo(TaskStatus.Reason.REASON_EXECUTOR_TERMINATED);
    assertThat(last.getMessage()).contains("its outcome is unknown");
    long pid = Long.parseLong(Files.readString(written).trim());
    await().until(() -> ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty());
    launch(lastOffer(), task("next", "true"));
    assertThat(ended("next").getState()).isEqualTo(TASK_FINISHED);
  }

  @Test
  void aTaskWhoseOutputCannotBeReadEndsAsItsCommandDid() throws Exception {
    launch(lastOffer(), task("a", "rm stdout && mkdir stdout"));
    assertThat(ended("a").getState()).isEqualTo(TASK_FINISHED);
  }

  @Override
  void end() {
    TestCluster.awaitNoProcesses(directory);
  }
}

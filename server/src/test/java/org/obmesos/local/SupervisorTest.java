// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.obmesos.executor.ExecutorProgram;
import org.obmesos.executor.TaskSpecification;
import org.obmesos.task.Session;

/** The supervisor as a process, talked to over its socket. */
final class SupervisorTest implements Supervisor.Listener {
  @TempDir private Path directory;
  private final BlockingQueue<String> said = new LinkedBlockingQueue<>();

  @Override
  public void started(String taskId, long process) {
    said.add("started " + taskId);
  }

  @Override
  public void ended(String taskId) {
    said.add("ended " + taskId);
  }

  @Override
  public void failed(String taskId, String message) {
    said.add("failed " + taskId + " " + message);
  }

  @Override
  public void sessionEnded(String id) {
    said.add("session ended " + id);
  }

  @Override
  public void lost(Supervisor supervisor) {
    said.add("lost");
  }

  private String next() throws InterruptedException {
    return said.poll(30, TimeUnit.SECONDS);
  }

  private Supervisor connect(Path work) throws IOException {
    Supervisor.install(work);
    Supervisor supervisor = Supervisor.start(work);
    supervisor.listen(this);
    return supervisor;
  }

  private static void launch(Supervisor supervisor, Path work, String id, String command)
      throws IOException {
    var specification =
        new TaskSpecification(
                List.of("/bin/sh", "-c", command),
                Map.of("A", "b=ü\"\\\n"),
                Optional.empty(),
                "",
                Duration.ofSeconds(3),
                Duration.ZERO,
                Optional.empty())
            .toJson();
    Path task = Files.createDirectories(work.resolve(id));
    specification.addProperty("sandbox", task.toString());
    specification.addProperty("meta", task.toString());
    supervisor.launch(id, specification);
  }

  private Path file(String id, String name) {
    return directory.resolve(id).resolve(name);
  }

  @Test
  void aCommandsOutputStatusAndUsageAreRecorded() throws Exception {
    try (Supervisor supervisor = connect(directory)) {
      launch(supervisor, directory, "a", "printf '%s' \"$A\"; echo e >&2; exit 7");
      assertThat(next()).isEqualTo("started a");
      assertThat(next()).isEqualTo("ended a");
      assertThat(file("a", "stdout")).hasContent("b=ü\"\\\n");
      assertThat(file("a", "stderr")).hasContent("e");
      assertThat(Files.readString(file("a", "exit")))
          .matches("status 7 - \\d+\\.\\d+ \\d+\\.\\d+ \\d+\\.\\d+ \\d+\n");
    }
  }

  @Test
  void itsTasksOutliveAConnectionAndTheNextOneHearsOfThem() throws Exception {
    Supervisor first = connect(directory);
    launch(first, directory, "a", "while [ ! -e go ]; do sleep 0.02; done; echo on");
    assertThat(next()).isEqualTo("started a");
    first.close();
    try (Supervisor second = connect(directory)) {
      assertThat(second.running()).containsOnlyKeys("a");
      Files.createFile(file("a", "go"));
      assertThat(next()).isEqualTo("ended a");
      assertThat(file("a", "stdout")).hasContent("on");
    }
  }

  /** A process that was just forked must not take a signal for one to the supervisor. */
  @Test
  void aKillRightAfterALaunchEndsThatTaskOnly() throws Exception {
    try (Supervisor supervisor = connect(directory)) {
      launch(supervisor, directory, "other", "while [ ! -e go ]; do sleep 0.02; done");
      assertThat(next()).isEqualTo("started other");
      for (int n = 0; n < 30; n++) {
        launch(supervisor, directory, "t" + n, "exec sleep 1000");
        supervisor.kill("t" + n);
      }
      for (int n = 0; n < 60; n++) {
        assertThat(next()).matches("(started|ended) t\\d+");
      }
      Files.createFile(file("other", "go"));
      assertThat(next()).isEqualTo("ended other");
      assertThat(Files.readString(file("other", "exit"))).startsWith("status 0 - ");
      for (int n = 0; n < 30; n++) {
        assertThat(Files.readString(file("t" + n, "exit"))).startsWith("signal 15 killed ");
      }
    }
  }

  /** It has something to say when the connection ends, and has not read everything yet. */
  @Test
  void aKillThatCameBeforeTheEndOfTheConnectionIsDone() throws Exception {
    Supervisor supervisor = connect(directory);
    launch(supervisor, directory, "a", "while [ ! -e go ]; do sleep 0.02; done");
    launch(supervisor, directory, "b", "exec sleep 1000");
    assertThat(List.of(next(), next())).containsExactlyInAnyOrder("started a", "started b");
    ProcessHandle process = supervisorProcess().orElseThrow();
    ProcessHandle waiting =
        process
            .children()
            .filter(child -> child.info().commandLine().orElse("").contains("while"))
            .findFirst()
            .orElseThrow();
    signal("STOP", process);
    Files.createFile(file("a", "go"));
    await().until(() -> waiting.info().commandLine().isEmpty());
    supervisor.kill("b");
    supervisor.close();
    signal("CONT", process);
    await().until(() -> Files.exists(file("b", "exit")));
    assertThat(Files.readString(file("b", "exit"))).startsWith("signal 15 killed ");
  }

  private static void signal(String name, ProcessHandle process) throws Exception {
    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
  }

  @Test
  void itEndsWhenItHasNoTaskAndNoConnection() throws Exception {
    connect(directory).close();
    await().until(() -> supervisorProcess().isEmpty());
  }

  @Test
  void aLostSupervisorIsToldAndAnotherOneStarts() throws Exception {
    Supervisor first = connect(directory);
    // Nobody kills it, so it ends with its directory.
    launch(first, directory, "a", "while [ -e stdout ]; do sleep 0.1; done");
    assertThat(next()).isEqualTo("started a");
    supervisorProcess().orElseThrow().destroyForcibly();
    assertThat(next()).isEqualTo("lost");
    try (Supervisor second = connect(directory)) {
      assertThat(second.running()).isEmpty();
    }
  }

  private TaskSpecification inSession(boolean begins) {
    Session session =
        new Session("s", "cd %s; . ./.block >> stdout; echo $? >&3", false, List.of());
    return new TaskSpecification(
        List.of("/bin/sh"),
        Map.of(),
        Optional.of("echo ran"),
        "",
        Duration.ofSeconds(3),
        Duration.ZERO,
        Optional.of(new TaskSpecification.InSession("session", session, begins)));
  }

  /** A full disk, say. */
  @Test
  void aTaskThatCannotBeStartedDoesNotEndItsSession() throws Exception {
    try (Supervisor supervisor = connect(directory)) {
      for (String id : List.of("a", "b", "c")) {
        JsonObject specification = inSession(id.equals("a")).toJson();
        Path task = Files.createDirectories(directory.resolve(id));
        specification.addProperty("sandbox", task.toString());
        specification.addProperty("meta", task.toString());
        specification
            .getAsJsonObject("session")
            .addProperty("directory", directory.resolve("session").toString());
        if (id.equals("b")) {
          Files.createDirectory(task.resolve(".block"));
        }
        supervisor.launch(id, specification);
        assertThat(next()).isEqualTo("started " + id);
        assertThat(next()).isEqualTo("ended " + id);
      }
      assertThat(Files.readString(file("b", "exit")))
          .startsWith("status 1 ")
          .doesNotContain("over");
      assertThat(file("c", "stdout")).hasContent("ran");
    }
  }

  private Optional<ProcessHandle> supervisorProcess() {
    String script = directory.resolve("supervisor.pl").toString();
    return ProcessHandle.allProcesses()
        .filter(process -> process.info().commandLine().orElse("").contains(script))
        .findFirst();
  }

  /** That of version 0.2 did not name its sessions when a server connected. */
  @Test
  void theSessionsOfAnEarlierSupervisorCountAsLive() throws Exception {
    Path socket = directory.resolve("supervisor.sock");
    for (boolean names : List.of(false, true)) {
      Files.deleteIfExists(socket);
      try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
        listener.bind(UnixDomainSocketAddress.of(socket));
        Thread answer =
            new Thread(
                () -> {
                  try {
                    String subscribed =
                        "{\"type\":\"SUBSCRIBED\",\"tasks\":{}%s}\n"
                            .formatted(names ? ",\"sessions\":[\"a\"]" : "");
                    listener.accept().write(ByteBuffer.wrap(subscribed.getBytes(UTF_8)));
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                });
        answer.start();
        try (Supervisor supervisor = Supervisor.find(directory).orElseThrow()) {
          assertThat(supervisor.hasEnded("a")).isFalse();
          assertThat(supervisor.hasEnded("b")).isEqualTo(names);
        }
        answer.join();
      }
    }
  }

  @Test
  void thePathOfItsSocketMayBeLong() throws Exception {
    Path deep = Files.createDirectories(directory.resolve("d".repeat(120)));
    try (Supervisor supervisor = connect(deep)) {
      launch(supervisor, deep, "a", "true");
      assertThat(next()).isEqualTo("started a");
      assertThat(next()).isEqualTo("ended a");
    }
  }

  /** A signal that is blocked stands for one that comes right before the wait. */
  @Test
  void aCommandsEndIsSeenEvenIfItsSignalIsMissed() throws Exception {
    Path script = directory.resolve("blocked.pl");
    Files.writeString(
        script,
        "use POSIX; sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGCHLD));\n"
            + ExecutorProgram.supervisor());
    Process process =
        new ProcessBuilder("perl", script.toString(), directory.toString())
            .redirectErrorStream(true)
            .start();
    assertThat(process.inputReader().readLine()).isEqualTo("ready");
    try (Supervisor supervisor = Supervisor.find(directory).orElseThrow()) {
      supervisor.listen(this);
      launch(supervisor, directory, "a", "sleep 0.2; exit 7");
      assertThat(next()).isEqualTo("started a");
      assertThat(next()).isEqualTo("ended a");
      assertThat(Files.readString(file("a", "exit"))).startsWith("status 7 ");
    } finally {
      process.destroyForcibly();
    }
  }
}

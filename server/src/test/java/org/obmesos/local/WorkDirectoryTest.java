// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.stream.Stream;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.TaskID;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files of the embedded cluster after a loss of power, and when they are deleted. */
final class WorkDirectoryTest {
  @TempDir private Path root;

  private static TaskInfo task(String id) {
    return TaskInfo.newBuilder()
        .setName(id)
        .setTaskId(TaskID.newBuilder().setValue(id))
        .setAgentId(AgentID.newBuilder().setValue("agent"))
        .build();
  }

  @Test
  void emptyFilesAreNoCheckpoints() throws IOException {
    WorkDirectory work = new WorkDirectory(root);
    for (String id : new String[] {"good", "no-task", "no-framework"}) {
      work.checkpoint("framework", task(id));
    }
    Files.write(work.meta("no-task").resolve("task"), new byte[0]);
    Files.write(work.meta("no-framework").resolve("framework"), new byte[0]);
    Files.write(root.resolve("master_id"), new byte[0]);

    WorkDirectory next = new WorkDirectory(root);
    assertThat(next.checkpoints())
        .extracting(checkpoint -> checkpoint.task().getName())
        .containsExactly("good");
    assertThat(next.checkpoints()).hasSize(1);
    assertThat(next.masterId()).isNotEmpty().isEqualTo(next.masterId());
  }

  @Test
  void whatCannotBeDeletedKeepsNothingElse() throws IOException {
    WorkDirectory work = new WorkDirectory(root);
    Instant now = Instant.now();
    Path executors = Files.createDirectories(root.resolve("frameworks/f/executors"));
    for (int index = 0; index < 5; index++) {
      // Nobody can tell how old that is.
      Files.createSymbolicLink(executors.resolve("link-" + index), root.resolve("nowhere"));
      Path old = Files.createDirectories(executors.resolve("old-" + index));
      Files.setLastModifiedTime(old, FileTime.from(now.minus(Duration.ofDays(8))));
    }
    work.collectGarbage(now.minus(Duration.ofDays(7)), session -> false);
    try (Stream<Path> left = Files.list(executors)) {
      assertThat(left.map(it -> it.getFileName().toString())).allMatch(it -> it.startsWith("link"));
    }
  }

  @Test
  void theDirectoryOfASessionIsKeptUntilItHasEnded() throws IOException {
    WorkDirectory work = new WorkDirectory(root);
    Instant now = Instant.now();
    for (String id : new String[] {"alive", "ended"}) {
      Path session = Files.createDirectories(work.sessions().resolve(id));
      Files.writeString(session.resolve("model"), "x");
      Files.setLastModifiedTime(session, FileTime.from(now.minus(Duration.ofDays(8))));
    }
    work.collectGarbage(now.minus(Duration.ofDays(7)), "ended"::equals);
    assertThat(work.sessionIds()).containsExactly("alive");
    assertThat(work.sessions().resolve("alive").resolve("model")).exists();
  }
}

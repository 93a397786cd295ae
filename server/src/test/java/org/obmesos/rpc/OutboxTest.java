// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.eclipse.lsp4j.jsonrpc.JsonRpcException;
import org.eclipse.lsp4j.jsonrpc.messages.Message;
import org.eclipse.lsp4j.jsonrpc.messages.NotificationMessage;
import org.junit.jupiter.api.Test;
import org.obmesos.api.Messages;
import org.obmesos.api.Messages.TaskItem;
import org.obmesos.cluster.TestBlocks;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.obmesos.task.TaskState;
import org.obmesos.task.TaskStatus;

final class OutboxTest {
  private final List<Message> written = new CopyOnWriteArrayList<>();
  private final CountDownLatch reads = new CountDownLatch(1);

  private static Task task(String id, TaskState state) {
    return Task.submitted(1, TestBlocks.of(id, "true"), Instant.EPOCH)
        .with(TaskStatus.of(state, ""), Instant.EPOCH);
  }

  /** A client that does not read before the latch is open. */
  private Outbox outbox() {
    Outbox outbox =
        new Outbox(
            message -> {
              try {
                reads.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              written.add(message);
            },
            "local",
            () -> {});
    outbox.initialized();
    return outbox;
  }

  private List<TaskItem> items() {
    List<TaskItem> items = new ArrayList<>();
    for (Message message : written) {
      if (message instanceof NotificationMessage notification
          && notification.getParams() instanceof Messages.Tasks tasks) {
        items.addAll(tasks.tasks());
      }
    }
    return items;
  }

  private void awaitItems(int count) {
    await().atMost(Duration.ofSeconds(30)).until(() -> items().size() >= count);
  }

  /** The first status is taken by the writer at once, which then waits for the client. */
  private void block(Outbox outbox) {
    outbox.status(task("first", TaskState.RUNNING));
    await().atMost(Duration.ofSeconds(30)).until(outbox::isWriting);
  }

  @Test
  void statusesOfATaskCollapseToTheLatest() {
    Outbox outbox = outbox();
    block(outbox);
    for (int n = 0; n < 1000; n++) {
      outbox.status(task("a", n % 2 == 0 ? TaskState.RUNNING : TaskState.UNREACHABLE));
    }
    outbox.ended(task("a", TaskState.FINISHED), new TaskResult("out", 3, false, ""), "/sandbox");
    reads.countDown();
    awaitItems(2);
    assertThat(items()).extracting(TaskItem::id).containsExactly("first", "a");
    assertThat(items().get(1).state()).isEqualTo("FINISHED");
    assertThat(items().get(1).result().stdout()).isEqualTo("out");
    assertThat(items().get(1).result().location()).isEqualTo("/sandbox");
  }

  @Test
  void theResultsThatWaitAreBounded() {
    Outbox outbox = outbox();
    block(outbox);
    TaskResult large = new TaskResult("x".repeat(1 << 20), 1 << 20, false, "");
    for (int n = 0; n < 40; n++) {
      outbox.ended(task("t" + n, TaskState.FINISHED), large, "");
    }
    reads.countDown();
    awaitItems(41);
    long withResult = items().stream().filter(item -> item.result() != null).count();
    assertThat(withResult).isEqualTo(Outbox.MAX_RESULT_CHARS >> 20);
    assertThat(items().subList(1, 41)).allMatch(TaskItem::terminal);
  }

  @Test
  void deletedTasksAreNotReported() {
    Outbox outbox = outbox();
    block(outbox);
    for (int n = 0; n < 100; n++) {
      outbox.ended(task("t" + n, TaskState.FINISHED), TaskResult.NONE, "");
    }
    for (int n = 0; n < 99; n++) {
      outbox.deleted(List.of(new TaskId("t" + n)));
    }
    reads.countDown();
    awaitItems(2);
    outbox.close();
    assertThat(items()).extracting(TaskItem::id).containsExactly("first", "t99");
  }

  @Test
  void aMessageThatCannotBeWrittenIsSkipped() {
    List<String> methods = new CopyOnWriteArrayList<>();
    Outbox outbox =
        new Outbox(
            message -> {
              String method = ((NotificationMessage) message).getMethod();
              methods.add(method);
              if (method.equals("task/status")) {
                throw new IllegalStateException("this value has no JSON");
              }
            },
            "local",
            () -> {});
    outbox.initialized();
    outbox.status(task("a", TaskState.RUNNING));
    await().atMost(Duration.ofSeconds(30)).until(() -> methods.contains("task/status"));
    outbox.cluster(false, "no connection");
    await().atMost(Duration.ofSeconds(30)).until(() -> methods.contains("cluster/status"));
  }

  @Test
  void aLostStoreIsReportedBeforeTheProcessEnds() throws Exception {
    CountDownLatch ended = new CountDownLatch(1);
    Outbox outbox = new Outbox(written::add, "local", ended::countDown);
    outbox.storeLost("the disk is full");
    assertThat(ended.await(30, TimeUnit.SECONDS)).isTrue();
    assertThat(written.toString()).contains("log/message", "error", "the disk is full");
  }

  @Test
  void aClientThatIsGoneEndsTheWriterAndCloseDoesNotWait() throws Exception {
    CountDownLatch tried = new CountDownLatch(1);
    Outbox outbox =
        new Outbox(
            message -> {
              tried.countDown();
              throw new JsonRpcException(new IOException("Broken pipe"));
            },
            "local",
            () -> {});
    outbox.warning("anybody?");
    assertThat(tried.await(30, TimeUnit.SECONDS)).isTrue();
    outbox.close();
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.eclipse.lsp4j.jsonrpc.JsonRpcException;
import org.eclipse.lsp4j.jsonrpc.MessageConsumer;
import org.eclipse.lsp4j.jsonrpc.messages.Message;
import org.eclipse.lsp4j.jsonrpc.messages.NotificationMessage;
import org.obmesos.api.Messages;
import org.obmesos.api.Messages.OutputItem;
import org.obmesos.api.Messages.OutputParams;
import org.obmesos.api.Messages.TaskItem;
import org.obmesos.api.Messages.Tasks;
import org.obmesos.api.TaskMapper;
import org.obmesos.scheduler.FrameworkListener;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The queue of messages to Emacs. One thread writes them, so an Emacs that does not read delays
 * nothing else. The queue holds immutable values and does no I/O but the writing itself. It is
 * bounded: only the last status, the last lines and the last message about the cluster wait, and if
 * more than {@link #MAX_RESULT_CHARS} of results wait, further ones are left out; Emacs then asks
 * for them. A message that cannot be written is logged and skipped.
 */
final class Outbox implements MessageConsumer, FrameworkListener, AutoCloseable {
  /** The largest size of the results that wait, in characters. */
  static final int MAX_RESULT_CHARS = 16 << 20;

  private static final Logger log = LoggerFactory.getLogger(Outbox.class);
  private static final int MAX_BATCH_TASKS = 200;
  private static final int MAX_WARNINGS = 100;
  private static final long CLOSE_SECONDS = 1;

  /** The size of the results after which a message contains no further ones, in characters. */
  static final int MAX_BATCH_CHARS = 1 << 20;

  private final MessageConsumer out;
  private final String master;
  private final Runnable terminate;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition arrived = lock.newCondition();
  private final Condition written = lock.newCondition();
  private final List<Message> messages = new ArrayList<>();
  private final Map<TaskId, PendingStatus> statuses = new LinkedHashMap<>();
  private final Map<TaskId, OutputItem> outputs = new LinkedHashMap<>();
  private Optional<Message> cluster = Optional.empty();
  private int warnings;
  private int resultChars;
  private boolean initialized;
  private boolean closed;
  private boolean idle = true;

  /** A task to report, with its result if it has ended. */
  private record PendingStatus(Task task, Optional<TaskResult> result, String sandbox) {
    int chars() {
      return result.map(it -> it.stdout().length() + it.stderrTail().length()).orElse(0);
    }
  }

  /** What one round writes. */
  private record Batch(
      List<Message> messages, List<PendingStatus> statuses, List<OutputItem> outputs) {}

  /**
   * Creates an outbox. It sends nothing about tasks before {@link #initialized}.
   *
   * @param out writes messages
   * @param master the address of the master
   * @param terminate ends the process, after the store was lost
   */
  Outbox(MessageConsumer out, String master, Runnable terminate) {
    this.out = out;
    this.master = master;
    this.terminate = terminate;
    Thread writer = new Thread(this::run, "outbox");
    writer.setDaemon(true);
    writer.start();
  }

  private void locked(Runnable change) {
    lock.lock();
    try {
      if (!closed) {
        change.run();
        arrived.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  /** The client has sent {@code initialize}. */
  void initialized() {
    locked(() -> initialized = true);
  }

  /** Sends a message, such as the answer to a request. */
  @Override
  public void consume(Message message) {
    locked(() -> messages.add(message));
  }

  @Override
  public void status(Task task) {
    locked(() -> put(new PendingStatus(task, Optional.empty(), "")));
  }

  @Override
  public void ended(Task task, TaskResult result, String sandbox) {
    locked(
        () -> {
          PendingStatus ended = new PendingStatus(task, Optional.of(result), sandbox);
          boolean fits = resultChars + ended.chars() <= MAX_RESULT_CHARS;
          put(fits ? ended : new PendingStatus(task, Optional.empty(), sandbox));
        });
  }

  private void put(PendingStatus status) {
    TaskId id = status.task().id();
    outputs.remove(id);
    remove(id);
    statuses.put(id, status);
    resultChars += status.chars();
  }

  private void remove(TaskId id) {
    PendingStatus before = statuses.remove(id);
    if (before != null) {
      resultChars -= before.chars();
    }
  }

  @Override
  public void deleted(Collection<TaskId> ids) {
    locked(() -> ids.forEach(this::remove));
  }

  @Override
  public void output(TaskId id, String tail, long size) {
    locked(() -> outputs.put(id, new OutputItem(id.value(), tail, size)));
  }

  @Override
  public void cluster(boolean connected, String message) {
    Messages.ClusterParams params = new Messages.ClusterParams(master, connected, message);
    locked(() -> cluster = Optional.of(notification("cluster/status", params)));
  }

  @Override
  public void warning(String message) {
    locked(
        () -> {
          if (warnings++ < MAX_WARNINGS) {
            messages.add(notification("log/message", new Messages.LogParams("warning", message)));
          }
        });
  }

  @Override
  public void storeLost(String message) {
    consume(notification("log/message", new Messages.LogParams("error", message)));
    Thread end =
        new Thread(
            () -> {
              close();
              terminate.run();
            },
            "terminate");
    end.setDaemon(true);
    end.start();
  }

  private static NotificationMessage notification(String method, Object params) {
    NotificationMessage message = new NotificationMessage();
    message.setMethod(method);
    message.setParams(params);
    return message;
  }

  private void run() {
    try {
      while (true) {
        write(take());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (JsonRpcException e) {
      // The client is gone. Its end of our stdin is closed too, which ends the server.
      log.info("the client does not read any more: {}", e.getMessage());
    } finally {
      locked(
          () -> {
            closed = true;
            idle = true;
            written.signalAll();
          });
    }
  }

  private Batch take() throws InterruptedException {
    lock.lock();
    try {
      while (messages.isEmpty() && cluster.isEmpty() && !(initialized && hasNews())) {
        idle = true;
        written.signalAll();
        arrived.await();
      }
      idle = false;
      cluster.ifPresent(messages::add);
      cluster = Optional.empty();
      warnings = 0;
      Batch batch =
          new Batch(
              List.copyOf(messages),
              initialized ? List.copyOf(statuses.values()) : List.of(),
              initialized ? List.copyOf(outputs.values()) : List.of());
      messages.clear();
      if (initialized) {
        statuses.clear();
        outputs.clear();
        resultChars = 0;
      }
      return batch;
    } finally {
      lock.unlock();
    }
  }

  /** Returns whether a batch is being written. */
  boolean isWriting() {
    lock.lock();
    try {
      return !idle;
    } finally {
      lock.unlock();
    }
  }

  private boolean hasNews() {
    return !statuses.isEmpty() || !outputs.isEmpty();
  }

  private void write(Batch batch) {
    batch.messages().forEach(this::write);
    writeStatuses(batch.statuses());
    if (!batch.outputs().isEmpty()) {
      write(notification("task/output", new OutputParams(batch.outputs())));
    }
  }

  /** An I/O error ends the writer; any other failure is the message's own. */
  private void write(Message message) {
    try {
      out.consume(message);
    } catch (JsonRpcException e) {
      throw e;
    } catch (RuntimeException e) {
      log.error("a message cannot be written", e);
    }
  }

  /** Splits statuses into messages of a bounded size. */
  private void writeStatuses(List<PendingStatus> statuses) {
    List<TaskItem> items = new ArrayList<>();
    int chars = 0;
    for (PendingStatus status : statuses) {
      try {
        items.add(TaskMapper.task(status.task(), status.result(), status.sandbox()));
      } catch (RuntimeException e) {
        log.error("the status of {} cannot be written", status.task().id(), e);
      }
      chars += status.chars();
      if (items.size() >= MAX_BATCH_TASKS || chars >= MAX_BATCH_CHARS) {
        write(notification("task/status", new Tasks(List.copyOf(items))));
        items.clear();
        chars = 0;
      }
    }
    if (!items.isEmpty()) {
      write(notification("task/status", new Tasks(List.copyOf(items))));
    }
  }

  /** Waits at most a second until the queued messages are written. */
  @Override
  public void close() {
    lock.lock();
    try {
      long nanos = TimeUnit.SECONDS.toNanos(CLOSE_SECONDS);
      while (!closed && !(idle && messages.isEmpty()) && nanos > 0) {
        nanos = written.awaitNanos(nanos);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }
}

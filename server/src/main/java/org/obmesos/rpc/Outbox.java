// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.eclipse.lsp4j.jsonrpc.JsonRpcException;
import org.eclipse.lsp4j.jsonrpc.MessageConsumer;
import org.eclipse.lsp4j.jsonrpc.messages.Message;
import org.eclipse.lsp4j.jsonrpc.messages.NotificationMessage;
import org.obmesos.rpc.Messages.OutputItem;
import org.obmesos.rpc.Messages.OutputParams;
import org.obmesos.rpc.Messages.TaskItem;
import org.obmesos.rpc.Messages.Tasks;
import org.obmesos.scheduler.FrameworkListener;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All that goes to Emacs, written by one thread of its own, so that an Emacs that does not read
 * stops nobody else. Memory is bounded: of each task's output only the newest waits here, and of
 * its statuses only that there is a newer one, not its result, which comes from the store when it
 * is written.
 */
final class Outbox implements MessageConsumer, FrameworkListener, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Outbox.class);
  private static final int BATCH = 200;
  private static final int BATCH_CHARS = 1 << 20;

  private final MessageConsumer out;
  private final Function<Task, TaskItem> withResult;
  private final String master;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition arrived = lock.newCondition();
  private final Condition written = lock.newCondition();
  private final List<Message> messages = new ArrayList<>();
  private final Map<TaskId, List<Task>> statuses = new LinkedHashMap<>();
  private final Map<TaskId, OutputItem> outputs = new LinkedHashMap<>();
  private boolean told;
  private boolean closed;
  private boolean idle = true;

  /**
   * Makes one; nothing about tasks is written before {@link #begin}.
   *
   * @param out where messages end up
   * @param withResult makes a task's message, waiting for its result if it has ended
   * @param master names the master
   */
  Outbox(MessageConsumer out, Function<Task, TaskItem> withResult, String master) {
    this.out = out;
    this.withResult = withResult;
    this.master = master;
    Thread writer = new Thread(this::write, "outbox");
    writer.setDaemon(true);
    writer.start();
  }

  private void locked(Runnable change) {
    lock.lock();
    try {
      change.run();
      arrived.signal();
    } finally {
      lock.unlock();
    }
  }

  /** The client has introduced itself and can be told of tasks. */
  void begin() {
    locked(() -> told = true);
  }

  @Override
  public void consume(Message message) {
    locked(() -> messages.add(message));
  }

  @Override
  public void status(Task task) {
    locked(
        () -> {
          outputs.remove(task.id());
          statuses.computeIfAbsent(task.id(), id -> new ArrayList<>()).add(task.withoutBody());
        });
  }

  @Override
  public void output(TaskId id, String tail, long size) {
    locked(() -> outputs.put(id, new OutputItem(id.value(), tail, size)));
  }

  @Override
  public void cluster(boolean connected, String message) {
    consume(notification("cluster/status", new Messages.ClusterParams(master, connected, message)));
  }

  @Override
  public void warning(String message) {
    consume(notification("log/message", new Messages.LogParams("warning", message)));
  }

  private static NotificationMessage notification(String method, Object params) {
    NotificationMessage message = new NotificationMessage();
    message.setMethod(method);
    message.setParams(params);
    return message;
  }

  private record Load(List<Message> messages, List<Task> statuses, List<OutputItem> outputs) {}

  private void write() {
    try {
      while (true) {
        Load load = take();
        load.messages().forEach(out::consume);
        writeStatuses(load.statuses());
        if (!load.outputs().isEmpty()) {
          out.consume(notification("task/output", new OutputParams(load.outputs())));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (JsonRpcException e) {
      // The other side is gone; that its input ends too is what ends this server.
      log.info("nobody reads any more: {}", e.getMessage());
    } finally {
      locked(
          () -> {
            closed = true;
            idle = true;
            written.signalAll();
          });
    }
  }

  private Load take() throws InterruptedException {
    lock.lock();
    try {
      while (messages.isEmpty() && !(told && hasNews())) {
        idle = true;
        written.signalAll();
        arrived.await();
      }
      idle = false;
      List<Task> news = new ArrayList<>();
      List<OutputItem> tails = new ArrayList<>();
      if (told) {
        statuses.values().forEach(news::addAll);
        tails.addAll(outputs.values());
        statuses.clear();
        outputs.clear();
      }
      Load load = new Load(List.copyOf(messages), news, tails);
      messages.clear();
      return load;
    } finally {
      lock.unlock();
    }
  }

  private boolean hasNews() {
    return !statuses.isEmpty() || !outputs.isEmpty();
  }

  /** In pieces a client can take in one gulp. */
  private void writeStatuses(List<Task> tasks) {
    List<TaskItem> batch = new ArrayList<>();
    int chars = 0;
    for (Task task : tasks) {
      TaskItem item = withResult.apply(task);
      batch.add(item);
      chars += item.result() == null ? 0 : item.result().stdout().length();
      if (batch.size() >= BATCH || chars >= BATCH_CHARS) {
        out.consume(notification("task/status", new Tasks(List.copyOf(batch))));
        batch.clear();
        chars = 0;
      }
    }
    if (!batch.isEmpty()) {
      out.consume(notification("task/status", new Tasks(List.copyOf(batch))));
    }
  }

  /** Waits a moment for what is to be written. */
  @Override
  public void close() {
    lock.lock();
    try {
      long nanos = TimeUnit.SECONDS.toNanos(1);
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

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.obmesos.rpc.Items;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;

/**
 * What happens to tasks, as streams of server-sent events. A reader that is slow loses nothing but
 * what has been overtaken: of each task there waits at most one status and one tail, the latest.
 */
final class Events {
  /** Each holds a thread of the server. */
  private static final int MOST_STREAMS = 32;

  private static final int HEARTBEAT_SECONDS = 15;

  private final Set<Stream> streams = ConcurrentHashMap.newKeySet();
  private final Map<TaskId, String> tails = new ConcurrentHashMap<>();
  private volatile boolean connected;
  private volatile String trouble = "";
  private volatile boolean closed;
  private volatile Consumer<TaskId> ended = id -> {};

  /** One reader's. */
  private static final class Stream {
    private final Predicate<TaskId> wanted;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final Map<String, String> waiting = new LinkedHashMap<>();
    private boolean ended;

    Stream(Predicate<TaskId> wanted) {
      this.wanted = wanted;
    }

    void add(String event, String id, String data) {
      lock.lock();
      try {
        // At the end again, so that an old one does not come after what has followed it.
        waiting.remove(event + id);
        waiting.put(event + id, text(event, data));
        arrived.signal();
      } finally {
        lock.unlock();
      }
    }

    /** Adds what is older than anything that waits. */
    void begin(String event, String id, String data) {
      lock.lock();
      try {
        waiting.putIfAbsent(event + id, text(event, data));
      } finally {
        lock.unlock();
      }
    }

    private static String text(String event, String data) {
      return "event: %s\ndata: %s\n\n".formatted(event, data);
    }

    void end() {
      lock.lock();
      try {
        ended = true;
        arrived.signal();
      } finally {
        lock.unlock();
      }
    }

    /** What waits, once something does; or a comment, by which one sees who is still there. */
    String take() throws InterruptedException {
      lock.lock();
      try {
        long nanos = TimeUnit.SECONDS.toNanos(HEARTBEAT_SECONDS);
        while (waiting.isEmpty() && !ended && nanos > 0) {
          nanos = arrived.awaitNanos(nanos);
        }
        String text = waiting.isEmpty() ? ":\n\n" : String.join("", waiting.values());
        waiting.clear();
        return text;
      } finally {
        lock.unlock();
      }
    }
  }

  /** A tail as an event. */
  private record Output(String id, String tail, long size) {}

  void status(Task task) {
    if (task.state().isTerminal()) {
      tails.remove(task.id());
      ended.accept(task.id());
    }
    send("task", task.id(), () -> Items.task(task, Optional.empty(), ""));
  }

  void output(TaskId id, String tail, long size) {
    tails.put(id, tail);
    send("output", id, () -> new Output(id.value(), tail, size));
  }

  private void send(String event, TaskId id, Supplier<Object> data) {
    List<Stream> readers = streams.stream().filter(stream -> stream.wanted.test(id)).toList();
    if (!readers.isEmpty()) {
      String json = Reply.json(data.get());
      readers.forEach(stream -> stream.add(event, id.value(), json));
    }
  }

  void cluster(boolean isThere, String message) {
    connected = isThere;
    trouble = isThere ? "" : message;
    streams.forEach(stream -> stream.add("cluster", "", cluster()));
  }

  /** The connection to the cluster as an event. */
  private record Cluster(boolean connected, String message) {}

  private String cluster() {
    return Reply.json(new Cluster(connected, trouble));
  }

  /** Has somebody told of each task that ends. */
  void whenEnded(Consumer<TaskId> listener) {
    ended = listener;
  }

  boolean isConnected() {
    return connected;
  }

  /** The last lines of the tasks that run. */
  Map<TaskId, String> tails() {
    return tails;
  }

  int streams() {
    return streams.size();
  }

  /**
   * Makes room for one more reader.
   *
   * @throws Refusal if there are enough
   */
  private Stream open(Predicate<TaskId> wanted) {
    if (streams.size() >= MOST_STREAMS) {
      throw new Refusal(503, "Enough are watching", Map.of("Retry-After", "10"));
    }
    Stream stream = new Stream(wanted);
    streams.add(stream);
    return stream;
  }

  /** Where a stream goes, once it is known that there is room. */
  interface Sink {
    OutputStream open() throws IOException;
  }

  /** What tasks there are; asked for once the stream has begun, so that none is missed. */
  interface Snapshot {
    List<Task> tasks();
  }

  /**
   * Writes events until the reader goes, or the server does.
   *
   * @param wanted which tasks it is about
   * @param now those to begin with
   */
  void stream(Predicate<TaskId> wanted, Snapshot now, Sink sink) throws IOException {
    Stream stream = open(wanted);
    try (OutputStream out = sink.open()) {
      out.write(":\n\n".getBytes(StandardCharsets.UTF_8));
      stream.begin("cluster", "", cluster());
      for (Task task : now.tasks()) {
        stream.begin("task", task.id().value(), Reply.json(Items.task(task, Optional.empty(), "")));
        String tail = tails.get(task.id());
        if (tail != null) {
          stream.begin(
              "output",
              task.id().value(),
              Reply.json(new Output(task.id().value(), tail, tail.length())));
        }
      }
      while (!closed) {
        out.write(stream.take().getBytes(StandardCharsets.UTF_8));
        out.flush();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      streams.remove(stream);
    }
  }

  /** Ends all streams. */
  void close() {
    closed = true;
    streams.forEach(Stream::end);
  }
}

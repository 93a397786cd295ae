// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.DoubleAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.obmesos.api.TaskMapper;
import org.obmesos.scheduler.FrameworkListener;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;

/**
 * Streams of server-sent events about tasks. For a slow reader only the last status and the last
 * lines of each task wait. Values are queued as they are, and converted to JSON by the reader's
 * thread.
 */
final class Events implements FrameworkListener {
  /** Each stream occupies a thread of the server. */
  private static final int MAX_STREAMS = 32;

  private static final int HEARTBEAT_SECONDS = 15;

  private final Set<Stream> streams = ConcurrentHashMap.newKeySet();
  private final Map<TaskId, String> tails = new ConcurrentHashMap<>();
  private final DoubleAdder cpuSeconds = new DoubleAdder();
  private final DoubleAdder wallSeconds = new DoubleAdder();
  private final Consumer<TaskId> ended;
  private final Consumer<Collection<TaskId>> deleted;
  private volatile ClusterEvent cluster = new ClusterEvent(false, "");
  private volatile boolean closed;

  /** The event {@code cluster}. */
  private record ClusterEvent(boolean connected, String message) {}

  /** The event {@code output}. */
  private record OutputEvent(String id, String tail, long size) {}

  /** An event; a newer one with the same name and id replaces it. */
  private record Event(String name, String id, Object data) {
    static Event of(Task task) {
      return new Event("task", task.id().value(), task);
    }

    static Event of(TaskId id, String tail, long size) {
      return new Event("output", id.value(), new OutputEvent(id.value(), tail, size));
    }

    String key() {
      return name + " " + id;
    }

    String text() {
      Object json = data instanceof Task task ? TaskMapper.task(task) : data;
      return "event: %s\ndata: %s\n\n".formatted(name, Reply.json(json));
    }
  }

  /** The stream of one reader. */
  private static final class Stream {
    private final Predicate<TaskId> filter;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final Map<String, Event> waiting = new LinkedHashMap<>();
    private boolean ended;

    Stream(Predicate<TaskId> filter) {
      this.filter = filter;
    }

    /** Adds an event after all that wait, instead of an older one of the same task. */
    void add(Event event) {
      lock.lock();
      try {
        waiting.remove(event.key());
        waiting.put(event.key(), event);
        arrived.signal();
      } finally {
        lock.unlock();
      }
    }

    /** Adds an event of the initial state, unless a newer one waits. */
    void addInitial(Event event) {
      lock.lock();
      try {
        waiting.putIfAbsent(event.key(), event);
      } finally {
        lock.unlock();
      }
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

    /** Waits for events; returns none after {@link #HEARTBEAT_SECONDS} or at the end. */
    List<Event> take() throws InterruptedException {
      lock.lock();
      try {
        long nanos = TimeUnit.SECONDS.toNanos(HEARTBEAT_SECONDS);
        while (waiting.isEmpty() && !ended && nanos > 0) {
          nanos = arrived.awaitNanos(nanos);
        }
        List<Event> events = new ArrayList<>(waiting.values());
        waiting.clear();
        return events;
      } finally {
        lock.unlock();
      }
    }
  }

  /**
   * Creates the events.
   *
   * @param ended is called with each task that ends
   * @param deleted is called with the ids of deleted tasks
   */
  Events(Consumer<TaskId> ended, Consumer<Collection<TaskId>> deleted) {
    this.ended = ended;
    this.deleted = deleted;
  }

  @Override
  public void status(Task task) {
    send(task.id(), Event.of(task));
  }

  @Override
  public void ended(Task task, TaskResult result, String sandbox) {
    tails.remove(task.id());
    send(task.id(), Event.of(task));
    task.launch().usage().cpuSeconds().ifPresent(cpuSeconds::add);
    task.launch().usage().wallSeconds().ifPresent(wallSeconds::add);
    ended.accept(task.id());
  }

  /** Returns the cpu time in seconds of the tasks that have ended since the start. */
  double cpuSeconds() {
    return cpuSeconds.sum();
  }

  /** Returns the run time in seconds of the tasks that have ended since the start. */
  double wallSeconds() {
    return wallSeconds.sum();
  }

  @Override
  public void deleted(Collection<TaskId> ids) {
    deleted.accept(ids);
  }

  @Override
  public void output(TaskId id, String tail, long size) {
    tails.put(id, tail);
    send(id, Event.of(id, tail, size));
  }

  private void send(TaskId id, Event event) {
    for (Stream stream : streams) {
      if (stream.filter.test(id)) {
        stream.add(event);
      }
    }
  }

  @Override
  public void cluster(boolean connected, String message) {
    cluster = new ClusterEvent(connected, connected ? "" : message);
    streams.forEach(stream -> stream.add(new Event("cluster", "", cluster)));
  }

  @Override
  public void warning(String message) {
    // There is no event for it.
  }

  @Override
  public void storeLost(String message) {
    // The server ends.
  }

  boolean isConnected() {
    return cluster.connected();
  }

  /** Returns the last lines of running tasks. */
  Map<TaskId, String> tails() {
    return tails;
  }

  int streams() {
    return streams.size();
  }

  private Stream open(Predicate<TaskId> filter) {
    if (streams.size() >= MAX_STREAMS) {
      throw new HttpException(
          503,
          "Too many open event streams (limit " + MAX_STREAMS + ")",
          Map.of("Retry-After", "10"));
    }
    Stream stream = new Stream(filter);
    streams.add(stream);
    return stream;
  }

  /** Opens the body of the answer, after the number of streams was checked. */
  interface Sink {
    OutputStream open() throws IOException;
  }

  /** Returns the tasks of the initial state; called after the stream has started. */
  interface Snapshot {
    List<Task> tasks();
  }

  /**
   * Writes events until the reader or the server closes the stream.
   *
   * @param filter selects the tasks
   * @param initial the tasks of the initial state
   */
  void stream(Predicate<TaskId> filter, Snapshot initial, Sink sink) throws IOException {
    Stream stream = open(filter);
    try (OutputStream out = sink.open()) {
      out.write(":\n\n".getBytes(StandardCharsets.UTF_8));
      stream.addInitial(new Event("cluster", "", cluster));
      for (Task task : initial.tasks()) {
        stream.addInitial(Event.of(task));
        String tail = tails.get(task.id());
        if (tail != null) {
          stream.addInitial(Event.of(task.id(), tail, tail.length()));
        }
      }
      while (!closed) {
        StringBuilder text = new StringBuilder();
        stream.take().forEach(event -> text.append(event.text()));
        // A comment shows whether the reader is still there.
        out.write(
            (text.length() == 0 ? ":\n\n" : text.toString()).getBytes(StandardCharsets.UTF_8));
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

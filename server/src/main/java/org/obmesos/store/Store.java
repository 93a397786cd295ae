// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.sqlite.SQLiteConfig;

/**
 * The store, on a thread of its own. Each method returns at once; its future completes, on the
 * store's thread, when the work is committed. What waits together is committed together.
 *
 * <p>The journal is write-ahead with {@code synchronous = NORMAL}: what is committed survives the
 * death of this process; after a loss of power the last moments may be missing, never half there.
 */
public final class Store implements AutoCloseable {
  private static final String FRAMEWORK_ID = "framework_id";
  private static final long CLOSE_MILLIS = 5000;

  private final LinkedBlockingQueue<Work<?>> queue = new LinkedBlockingQueue<>();
  private final Thread thread;

  private interface Job<T> {
    T run(Connection connection) throws SQLException;
  }

  private record Work<T>(Job<T> job, CompletableFuture<T> done) {
    /** Runs the job; the outcome is told only once the transaction is through. */
    Runnable run(Connection connection) {
      try {
        T value = job.run(connection);
        return () -> done.complete(value);
      } catch (SQLException | RuntimeException e) {
        return () -> fail(e);
      }
    }

    void fail(Exception e) {
      done.completeExceptionally(new StoreException("the store failed: " + e.getMessage(), e));
    }
  }

  /** Opens, or makes, the store in the given file, private to the user. Does not wait for it. */
  public Store(Path file) {
    thread = new Thread(() -> serve(file), "store");
    thread.setDaemon(true);
    thread.start();
  }

  private void serve(Path file) {
    try (Connection connection = open(file)) {
      List<Work<?>> batch = new ArrayList<>();
      boolean open = true;
      while (open) {
        batch.clear();
        batch.add(queue.take());
        queue.drainTo(batch);
        open = batch.stream().noneMatch(work -> work.job() == CLOSE);
        commit(connection, batch);
      }
    } catch (SQLException | IOException e) {
      failAll(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      failAll(e);
    }
  }

  private static final Job<Void> CLOSE = connection -> null;

  private static void commit(Connection connection, List<Work<?>> batch) throws SQLException {
    List<Runnable> outcomes = new ArrayList<>();
    batch.forEach(work -> outcomes.add(work.run(connection)));
    try {
      connection.commit();
    } catch (SQLException e) {
      batch.forEach(work -> work.fail(e));
      connection.rollback();
      return;
    }
    outcomes.forEach(Runnable::run);
  }

  /** After the store is lost every call fails with why, for as long as the server lives. */
  private void failAll(Exception e) {
    while (!Thread.currentThread().isInterrupted()) {
      try {
        queue.take().fail(e);
      } catch (InterruptedException again) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static Connection open(Path file) throws SQLException, IOException {
    if (!Files.exists(file)) {
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    }
    SQLiteConfig config = new SQLiteConfig();
    config.setJournalMode(SQLiteConfig.JournalMode.WAL);
    config.setSynchronous(SQLiteConfig.SynchronousMode.NORMAL);
    config.enforceForeignKeys(true);
    config.setBusyTimeout(5000);
    Connection connection = config.createConnection("jdbc:sqlite:" + file);
    TaskRows.createSchema(connection);
    connection.setAutoCommit(false);
    return connection;
  }

  private <T> CompletableFuture<T> submit(Job<T> job) {
    CompletableFuture<T> done = new CompletableFuture<>();
    queue.add(new Work<>(job, done));
    return done;
  }

  /**
   * Writes down what was asked for.
   *
   * @param fresh tasks that are not in the store yet
   * @param completed tasks that are, but without what they run
   */
  public CompletableFuture<Void> insert(Collection<Task> fresh, Collection<Task> completed) {
    List<Task> inserted = List.copyOf(fresh);
    List<Task> updated = List.copyOf(completed);
    return submit(
        connection -> {
          TaskRows.insert(connection, inserted);
          TaskRows.updatePrograms(connection, updated);
          return null;
        });
  }

  /** Adds tasks that are not in the store yet. */
  public CompletableFuture<Void> insert(Collection<Task> tasks) {
    return insert(tasks, List.of());
  }

  /** Writes what changes in the life of a task: its placing, status and times. */
  public CompletableFuture<Void> update(Task task) {
    return update(List.of(task));
  }

  /** The same for several tasks at once. */
  public CompletableFuture<Void> update(Collection<Task> tasks) {
    List<Task> rows = List.copyOf(tasks);
    return submit(
        connection -> {
          TaskRows.update(connection, rows);
          return null;
        });
  }

  /** The same for a task that has ended, with its result. */
  public CompletableFuture<Void> update(Task task, TaskResult result) {
    return submit(
        connection -> {
          TaskRows.update(connection, List.of(task));
          TaskRows.putResult(connection, task.id(), result);
          return null;
        });
  }

  /** What a task wrote; empty if it has not ended or is not known. */
  public CompletableFuture<Optional<TaskResult>> result(TaskId id) {
    return submit(connection -> TaskRows.result(connection, id));
  }

  /** All tasks in the order of their submission; those that have ended come without their body. */
  public CompletableFuture<List<Task>> tasks() {
    return submit(TaskRows::all);
  }

  /** Removes tasks and their results. */
  public CompletableFuture<Void> forget(Collection<TaskId> ids) {
    List<TaskId> rows = List.copyOf(ids);
    return submit(
        connection -> {
          try (PreparedStatement statement =
              connection.prepareStatement("DELETE FROM tasks WHERE id = ?")) {
            for (TaskId id : rows) {
              statement.setString(1, id.value());
              statement.executeUpdate();
            }
          }
          return null;
        });
  }

  /** Adds a document. */
  public CompletableFuture<Void> keep(StoredDocument document) {
    return submit(
        connection -> {
          DocumentRows.insert(connection, document);
          return null;
        });
  }

  /** Writes down of a document that its tasks are in the store too. */
  public CompletableFuture<Void> taken(String id) {
    return changeDocument("UPDATE documents SET taken = 1 WHERE id = ?", id);
  }

  /** Removes a document. */
  public CompletableFuture<Void> discard(String id) {
    return changeDocument("DELETE FROM documents WHERE id = ?", id);
  }

  private CompletableFuture<Void> changeDocument(String sql, String id) {
    return submit(
        connection -> {
          DocumentRows.change(connection, sql, id);
          return null;
        });
  }

  /** All documents, the earliest first. */
  public CompletableFuture<List<StoredDocument>> documents() {
    return submit(DocumentRows::all);
  }

  /** The document with an id. */
  public CompletableFuture<Optional<StoredDocument>> document(String id) {
    return submit(connection -> DocumentRows.get(connection, id));
  }

  /** The framework's id, once there is one. */
  public CompletableFuture<Optional<String>> frameworkId() {
    return submit(
        connection -> {
          try (Statement statement = connection.createStatement();
              ResultSet row =
                  statement.executeQuery(
                      "SELECT value FROM meta WHERE key = '" + FRAMEWORK_ID + "'")) {
            return row.next() ? Optional.of(row.getString(1)) : Optional.empty();
          }
        });
  }

  /** Remembers the framework's id. */
  public CompletableFuture<Void> setFrameworkId(String id) {
    return submit(
        connection -> {
          try (PreparedStatement statement =
              connection.prepareStatement("INSERT OR REPLACE INTO meta VALUES (?, ?)")) {
            statement.setString(1, FRAMEWORK_ID);
            statement.setString(2, id);
            statement.executeUpdate();
          }
          return null;
        });
  }

  /** Forgets the framework's id: there is none any more. */
  public CompletableFuture<Void> forgetFrameworkId() {
    return submit(
        connection -> {
          try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("DELETE FROM meta WHERE key = '" + FRAMEWORK_ID + "'");
          }
          return null;
        });
  }

  /** Commits what waits and closes the file. */
  @Override
  public void close() {
    var unused = submit(CLOSE);
    try {
      thread.join(CLOSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

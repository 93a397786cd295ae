// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.obmesos.task.TaskState;
import org.obmesos.util.PrivateFiles;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConfig;

/**
 * The SQLite database, used by one thread of its own. Each method returns at once; its future
 * completes on the store's thread once the operation is committed, or fails with a {@link
 * StoreException} if nothing of it was stored. Operations that wait together are committed
 * together; each has its own savepoint, so one that fails takes no other with it.
 *
 * <p>The journal is a write-ahead log with {@code synchronous = NORMAL} (SQLite's documentation of
 * PRAGMA synchronous): a committed transaction survives the end of this process; after a loss of
 * power the last transactions may be missing, but the database is consistent.
 */
public final class Store implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Store.class);
  private static final String FRAMEWORK_ID = "framework_id";
  private static final long CLOSE_MILLIS = 5000;
  private static final int BUSY_MILLIS = 5000;

  private final LinkedBlockingQueue<Work<?>> queue = new LinkedBlockingQueue<>();
  private final Path file;
  private final int busyMillis;
  private final Thread thread;

  /** Used on the store's thread; empty before the first operation and after a failure. */
  private Optional<Connection> connection = Optional.empty();

  private interface Operation<T> {
    T run(Connection connection) throws SQLException;
  }

  private record Work<T>(Operation<T> operation, CompletableFuture<T> done) {
    /**
     * Runs the operation; returns what completes its future once the transaction is committed.
     *
     * @throws SQLException if it fails and SQLite has ended the transaction
     */
    Runnable run(Connection connection) throws SQLException {
      Savepoint savepoint = connection.setSavepoint();
      try {
        T value = operation.run(connection);
        connection.releaseSavepoint(savepoint);
        return () -> done.complete(value);
      } catch (SQLException | RuntimeException | Error e) {
        try {
          connection.rollback(savepoint);
        } catch (SQLException ended) {
          e.addSuppressed(ended);
          throw e;
        }
        return () -> fail(e);
      }
    }

    void fail(Throwable e) {
      done.completeExceptionally(new StoreException("the store failed: " + reason(e), e));
    }

    private static String reason(Throwable e) {
      Throwable cause = e;
      while (cause.getCause() != null) {
        cause = cause.getCause();
      }
      return cause == e ? e.getMessage() : e.getMessage() + ": " + cause.getMessage();
    }
  }

  /** Opens or creates the database, private to the user. Does not wait for it. */
  public Store(Path file) {
    this(file, BUSY_MILLIS);
  }

  /**
   * Opens or creates the database.
   *
   * @param busyMillis how long to wait for another process that has locked the database
   */
  public Store(Path file, int busyMillis) {
    this.file = file;
    this.busyMillis = busyMillis;
    thread = new Thread(this::run, "store");
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    try {
      boolean open = true;
      while (open) {
        open = !runBatch(take());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      connection.ifPresent(Store::close);
    }
  }

  private static final Operation<Void> CLOSE = connection -> null;

  /** Waits for operations and returns all that wait. */
  private List<Work<?>> take() throws InterruptedException {
    List<Work<?>> batch = new ArrayList<>();
    batch.add(queue.take());
    queue.drainTo(batch);
    return batch;
  }

  /**
   * Commits the operations, or fails all of them. After a failure the database is opened again: it
   * is not known whether SQLite has ended the transaction, as it does after some errors, such as a
   * full disk (its documentation of ROLLBACK).
   *
   * @return whether the store is to be closed
   */
  private boolean runBatch(List<Work<?>> batch) {
    List<Runnable> completions = new ArrayList<>();
    try {
      if (connection.isEmpty()) {
        connection = Optional.of(open());
      }
      for (Work<?> work : batch) {
        completions.add(work.run(connection.get()));
      }
      connection.get().commit();
    } catch (SQLException | IOException | RuntimeException | Error e) {
      connection.ifPresent(Store::close);
      connection = Optional.empty();
      completions.clear();
      batch.forEach(work -> work.fail(e));
    }
    completions.forEach(Runnable::run);
    return batch.stream().anyMatch(work -> work.operation() == CLOSE);
  }

  /** Closes a connection, which rolls back. Nothing depends on how that ends. */
  private static void close(Connection connection) {
    try {
      connection.close();
    } catch (SQLException e) {
      log.warn("the database cannot be closed", e);
    }
  }

  private Connection open() throws SQLException, IOException {
    PrivateFiles.createFile(file);
    SQLiteConfig config = new SQLiteConfig();
    config.setJournalMode(SQLiteConfig.JournalMode.WAL);
    config.setSynchronous(SQLiteConfig.SynchronousMode.NORMAL);
    config.enforceForeignKeys(true);
    config.setBusyTimeout(busyMillis);
    Connection connection = config.createConnection("jdbc:sqlite:" + file);
    try {
      Schema.migrate(connection);
      connection.setAutoCommit(false);
      return connection;
    } catch (SQLException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  private <T> CompletableFuture<T> submit(Operation<T> operation) {
    CompletableFuture<T> done = new CompletableFuture<>();
    queue.add(new Work<>(operation, done));
    return done;
  }

  private CompletableFuture<Void> change(Change change) {
    return submit(
        connection -> {
          change.run(connection);
          return null;
        });
  }

  private interface Change {
    void run(Connection connection) throws SQLException;
  }

  /** Returns the file of the database. */
  public Path file() {
    return file;
  }

  /** Stores all of the changes, or none of them. */
  public CompletableFuture<Void> commit(Changes changes) {
    return change(
        connection -> {
          // A deleted id can be submitted again in the same transaction.
          TaskRows.delete(connection, changes.deleted());
          TaskRows.insert(connection, changes.inserted());
          TaskRows.updateBlocks(connection, changes.blocks());
          TaskRows.update(connection, changes.updated());
          if (changes.frameworkId().isPresent()) {
            setFrameworkId(connection, changes.frameworkId().get());
          }
          for (Map.Entry<TaskId, TaskResult> result : changes.results().entrySet()) {
            TaskRows.putResult(connection, result.getKey(), result.getValue());
          }
          for (Map.Entry<String, byte[]> executor : changes.executors().entrySet()) {
            ExecutorRows.put(connection, executor.getKey(), executor.getValue());
          }
        });
  }

  private static void setFrameworkId(Connection connection, String id) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("INSERT OR REPLACE INTO meta VALUES (?, ?)")) {
      statement.setString(1, FRAMEWORK_ID);
      statement.setString(2, id);
      statement.executeUpdate();
    }
  }

  /** Returns the result of a task; empty if it has not ended or is not in the store. */
  public CompletableFuture<Optional<TaskResult>> result(TaskId id) {
    return submit(connection -> TaskRows.result(connection, id));
  }

  /** Returns the descriptions of executors, by their ids. */
  public CompletableFuture<Map<String, byte[]>> executors() {
    return submit(ExecutorRows::all);
  }

  /** Deletes all descriptions of executors but those with the given ids. */
  public CompletableFuture<Void> retainExecutors(Set<String> ids) {
    Set<String> kept = Set.copyOf(ids);
    return change(connection -> ExecutorRows.retain(connection, kept));
  }

  /** Returns the digests of the files that belong to some result. */
  public CompletableFuture<Set<String>> keptFiles() {
    return submit(TaskRows::keptFiles);
  }

  /** Returns all tasks in the order of submission; ended ones without their body. */
  public CompletableFuture<List<Task>> tasks() {
    return submit(TaskRows::all);
  }

  /** Returns the tasks that have not ended, in the order of submission. */
  public CompletableFuture<List<Task>> liveTasks() {
    return submit(TaskRows::live);
  }

  /** Returns the tasks in sessions, ended or not, in the order of submission. */
  public CompletableFuture<List<Task>> tasksInSessions() {
    return submit(TaskRows::inSessions);
  }

  /** Returns the tasks that have ended, the earliest end first. */
  public CompletableFuture<List<EndedTask>> endedTasks() {
    return submit(TaskRows::ended);
  }

  /** Returns those of the given tasks that are in the store, in the given order. */
  public CompletableFuture<List<Task>> tasks(Collection<TaskId> ids) {
    List<TaskId> wanted = List.copyOf(ids);
    return submit(connection -> TaskRows.get(connection, wanted));
  }

  /** Returns the number of tasks in each state. */
  public CompletableFuture<Map<TaskState, Long>> countByState() {
    return submit(TaskRows::countByState);
  }

  /** Adds a document. */
  public CompletableFuture<Void> addDocument(StoredDocument document) {
    return change(connection -> DocumentRows.insert(connection, document));
  }

  /** Marks a document's tasks as stored. */
  public CompletableFuture<Void> markSubmitted(String id) {
    return change(
        connection ->
            DocumentRows.change(connection, "UPDATE documents SET submitted = 1 WHERE id = ?", id));
  }

  /** Deletes a document. */
  public CompletableFuture<Void> deleteDocument(String id) {
    return change(
        connection -> DocumentRows.change(connection, "DELETE FROM documents WHERE id = ?", id));
  }

  /** Returns the ids of all documents, the earliest first. */
  public CompletableFuture<List<String>> documentIds() {
    return submit(DocumentRows::ids);
  }

  /** Returns a document; empty if it is not in the store. */
  public CompletableFuture<Optional<StoredDocument>> document(String id) {
    return submit(connection -> DocumentRows.get(connection, id));
  }

  /** Returns the framework id; empty if there is none. */
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

  /** Deletes the framework id, after the framework was torn down. */
  public CompletableFuture<Void> deleteFrameworkId() {
    return change(
        connection -> {
          try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("DELETE FROM meta WHERE key = '" + FRAMEWORK_ID + "'");
          }
        });
  }

  /** Commits what is queued and closes the database. */
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

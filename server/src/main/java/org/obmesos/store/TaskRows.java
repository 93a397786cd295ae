// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import com.google.gson.reflect.TypeToken;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.obmesos.task.Block;
import org.obmesos.task.KeptFile;
import org.obmesos.task.LaunchState;
import org.obmesos.task.Origin;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.obmesos.task.TaskState;
import org.obmesos.task.TaskStatus;
import org.obmesos.task.Times;

/** Reads and writes the tables {@code tasks} and {@code results}. */
final class TaskRows {
  private TaskRows() {}

  static void insert(Connection connection, Collection<Task> tasks) throws SQLException {
    String sql =
        """
        INSERT INTO tasks (id, sequence, block, launch, state, reason, message, source,
          submitted_ms, started_ms, ended_ms) VALUES (?,?,?,?,?,?,?,?,?,?,?)""";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (Task task : tasks) {
        statement.setString(1, task.id().value());
        statement.setLong(2, task.sequence());
        statement.setString(3, TaskJson.GSON.toJson(task.block()));
        setState(statement, 4, task);
        statement.setLong(9, task.times().submitted().toEpochMilli());
        setTimes(statement, 10, task.times());
        statement.addBatch();
      }
      statement.executeBatch();
    }
  }

  /** Sets the launch state and the status, from the parameter with the given index on. */
  private static void setState(PreparedStatement statement, int first, Task task)
      throws SQLException {
    statement.setString(first, TaskJson.GSON.toJson(task.launch()));
    statement.setString(first + 1, task.state().name());
    statement.setString(first + 2, task.status().reason());
    statement.setString(first + 3, task.status().message());
    statement.setString(first + 4, task.status().source());
  }

  private static void setTimes(PreparedStatement statement, int first, Times times)
      throws SQLException {
    setTime(statement, first, times.started());
    setTime(statement, first + 1, times.ended());
  }

  private static void setTime(PreparedStatement statement, int index, Optional<Instant> time)
      throws SQLException {
    if (time.isPresent()) {
      statement.setLong(index, time.get().toEpochMilli());
    } else {
      statement.setNull(index, Types.INTEGER);
    }
  }

  static void update(Connection connection, Collection<Task> tasks) throws SQLException {
    String sql =
        """
        UPDATE tasks SET launch=?, state=?, reason=?, message=?, source=?, started_ms=?, ended_ms=?
          WHERE id=?""";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (Task task : tasks) {
        setState(statement, 1, task);
        setTimes(statement, 6, task.times());
        statement.setString(8, task.id().value());
        statement.addBatch();
      }
      statement.executeBatch();
    }
  }

  static void updateBlocks(Connection connection, Collection<Task> tasks) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("UPDATE tasks SET block=? WHERE id=?")) {
      for (Task task : tasks) {
        statement.setString(1, TaskJson.GSON.toJson(task.block()));
        statement.setString(2, task.id().value());
        statement.addBatch();
      }
      statement.executeBatch();
    }
  }

  static void delete(Connection connection, Collection<TaskId> ids) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("DELETE FROM tasks WHERE id = ?")) {
      for (TaskId id : ids) {
        statement.setString(1, id.value());
        statement.addBatch();
      }
      statement.executeBatch();
    }
  }

  static void putResult(Connection connection, TaskId id, TaskResult result) throws SQLException {
    String sql =
        """
        INSERT OR REPLACE INTO results (id, stdout, stdout_bytes, truncated, stderr_tail, files)
          VALUES (?,?,?,?,?,?)""";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, id.value());
      statement.setString(2, result.stdout());
      statement.setLong(3, result.stdoutBytes());
      statement.setBoolean(4, result.truncated());
      statement.setString(5, result.stderrTail());
      statement.setString(6, result.files().map(TaskJson.GSON::toJson).orElse(null));
      statement.executeUpdate();
    }
  }

  static Optional<TaskResult> result(Connection connection, TaskId id) throws SQLException {
    String sql =
        "SELECT stdout, stdout_bytes, truncated, stderr_tail, files FROM results WHERE id = ?";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, id.value());
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next()
            ? Optional.of(
                new TaskResult(
                    rows.getString(1),
                    rows.getLong(2),
                    rows.getBoolean(3),
                    rows.getString(4),
                    files(rows.getString(5))))
            : Optional.empty();
      }
    }
  }

  private static Optional<Map<String, KeptFile>> files(String json) {
    return Optional.ofNullable(json)
        .map(text -> TaskJson.GSON.fromJson(text, new TypeToken<Map<String, KeptFile>>() {}));
  }

  /** Returns the digests of the files that belong to some result. */
  static Set<String> keptFiles(Connection connection) throws SQLException {
    Set<String> digests = new HashSet<>();
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT files FROM results WHERE files IS NOT NULL AND files <> '{}'")) {
      while (row.next()) {
        files(row.getString(1)).orElseThrow().values().forEach(file -> digests.add(file.digest()));
      }
    }
    return digests;
  }

  static List<Task> all(Connection connection) throws SQLException {
    return select(connection, "SELECT * FROM tasks ORDER BY sequence");
  }

  static List<Task> live(Connection connection) throws SQLException {
    return select(connection, "SELECT * FROM tasks WHERE ended_ms IS NULL ORDER BY sequence");
  }

  static List<Task> inSessions(Connection connection) throws SQLException {
    return select(
        connection,
        """
        SELECT * FROM tasks
          WHERE json_extract(block, '$.program.executionEnvironment.session.name') IS NOT NULL
          ORDER BY sequence""");
  }

  private static List<Task> select(Connection connection, String sql) throws SQLException {
    List<Task> tasks = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      while (row.next()) {
        tasks.add(task(row));
      }
    }
    return tasks;
  }

  static List<Task> get(Connection connection, List<TaskId> ids) throws SQLException {
    List<Task> tasks = new ArrayList<>();
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT * FROM tasks WHERE id = ?")) {
      for (TaskId id : ids) {
        statement.setString(1, id.value());
        try (ResultSet row = statement.executeQuery()) {
          if (row.next()) {
            tasks.add(task(row));
          }
        }
      }
    }
    return tasks;
  }

  static List<EndedTask> ended(Connection connection) throws SQLException {
    String sql =
        """
        SELECT id, sequence, json_extract(block, '$.origin.name') AS name,
          json_extract(block, '$.origin.document') AS document,
          json_extract(block, '$.origin.group') AS grouped, state, message, ended_ms,
          IFNULL(json_extract(launch, '$.key.digest'), '') AS digest
          FROM tasks WHERE ended_ms IS NOT NULL ORDER BY ended_ms, sequence""";
    List<EndedTask> tasks = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      while (row.next()) {
        tasks.add(
            new EndedTask(
                new TaskId(row.getString("id")),
                row.getLong("sequence"),
                new Origin(
                    row.getString("name"), row.getString("document"), row.getString("grouped"), ""),
                TaskState.valueOf(row.getString("state")),
                row.getString("message"),
                Instant.ofEpochMilli(row.getLong("ended_ms")),
                row.getString("digest")));
      }
    }
    return tasks;
  }

  static Map<TaskState, Long> countByState(Connection connection) throws SQLException {
    Map<TaskState, Long> counts = new EnumMap<>(TaskState.class);
    for (TaskState state : TaskState.values()) {
      counts.put(state, 0L);
    }
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery("SELECT state, COUNT(*) FROM tasks GROUP BY state")) {
      while (row.next()) {
        counts.put(TaskState.valueOf(row.getString(1)), row.getLong(2));
      }
    }
    return counts;
  }

  private static Task task(ResultSet row) throws SQLException {
    Task task =
        new Task(
            row.getLong("sequence"),
            TaskJson.GSON.fromJson(row.getString("block"), Block.class),
            TaskJson.GSON.fromJson(row.getString("launch"), LaunchState.class),
            new TaskStatus(
                TaskState.valueOf(row.getString("state")),
                row.getString("reason"),
                row.getString("message"),
                row.getString("source")),
            new Times(
                Instant.ofEpochMilli(row.getLong("submitted_ms")),
                time(row, "started_ms"),
                time(row, "ended_ms")));
    return task.state().isTerminal() ? task.withoutBody() : task;
  }

  static Optional<Instant> time(ResultSet row, String column) throws SQLException {
    long millis = row.getLong(column);
    return row.wasNull() ? Optional.empty() : Optional.of(Instant.ofEpochMilli(millis));
  }
}

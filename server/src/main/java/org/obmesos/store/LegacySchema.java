// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.obmesos.task.Block;
import org.obmesos.task.Constraint;
import org.obmesos.task.Container;
import org.obmesos.task.ExecutionEnvironment;
import org.obmesos.task.ExecutorKind;
import org.obmesos.task.Health;
import org.obmesos.task.LaunchState;
import org.obmesos.task.Origin;
import org.obmesos.task.Program;
import org.obmesos.task.Requirements;
import org.obmesos.task.Resources;
import org.obmesos.task.Retry;
import org.obmesos.task.RunPolicy;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskLocation;
import org.obmesos.task.TaskState;
import org.obmesos.task.TaskStatus;
import org.obmesos.task.Times;
import org.obmesos.task.Uri;
import org.obmesos.task.Usage;

/**
 * The tables of the versions before {@code PRAGMA user_version} was used. They had a column for
 * each component; lists were one text whose elements end with U+001F, and U+001E escapes both
 * characters.
 */
final class LegacySchema {
  private static final String END = "\u001f";
  private static final String ESCAPE = "\u001e";

  /** The columns the first of these versions did not have, in the order they were added. */
  private static final Map<String, String> ADDED = added();

  /** The column {@code extras}; a component is null if the block does not ask for it. */
  private record Extras(
      String group,
      Container container,
      List<Uri> uris,
      String user,
      Health health,
      Set<String> secrets,
      List<String> ports,
      String role,
      List<Constraint> constraints,
      Long backoffMillis,
      Retry.Ensure ensure) {
    static Extras parse(String json) {
      return TaskJson.GSON.fromJson(json.isEmpty() ? "{}" : json, Extras.class);
    }
  }

  private LegacySchema() {}

  private static Map<String, String> added() {
    Map<String, String> columns = new LinkedHashMap<>();
    columns.put("tail_lines", "INTEGER NOT NULL DEFAULT 10");
    columns.put("agent_url", "TEXT NOT NULL DEFAULT ''");
    columns.put("gpus", "REAL NOT NULL DEFAULT 0");
    columns.put("attempts", "INTEGER NOT NULL DEFAULT 1");
    columns.put("runs", "INTEGER NOT NULL DEFAULT 0");
    columns.put("framework_id", "TEXT NOT NULL DEFAULT ''");
    columns.put("after_ids", "TEXT NOT NULL DEFAULT ''");
    columns.put("extras", "TEXT NOT NULL DEFAULT ''");
    columns.put("ports", "TEXT NOT NULL DEFAULT ''");
    return columns;
  }

  static boolean isPresent(Statement statement) throws SQLException {
    return !columns(statement, "tasks").isEmpty();
  }

  private static Set<String> columns(Statement statement, String table) throws SQLException {
    Set<String> names = new HashSet<>();
    try (ResultSet rows =
        statement.executeQuery("SELECT name FROM pragma_table_info('" + table + "')")) {
      while (rows.next()) {
        names.add(rows.getString(1));
      }
    }
    return names;
  }

  /**
   * Migrates to version 1.
   *
   * @param tasksTable the statement that creates the table {@code tasks} of version 1
   */
  static void migrate(Connection connection, String tasksTable) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      addColumns(statement);
      List<Task> tasks = new ArrayList<>();
      try (ResultSet row = statement.executeQuery("SELECT * FROM tasks ORDER BY sequence")) {
        while (row.next()) {
          tasks.add(task(row));
        }
      }
      // The table "results" refers to the table "tasks" by name, so the old one is dropped.
      statement.execute("DROP TABLE tasks");
      statement.execute(tasksTable);
      TaskRows.insert(connection, tasks);
      if (columns(statement, "documents").isEmpty()) {
        statement.execute(
            "CREATE TABLE documents (id TEXT PRIMARY KEY, submitted_ms INTEGER NOT NULL,"
                + " text TEXT NOT NULL, submitted INTEGER NOT NULL)");
      } else {
        statement.execute("ALTER TABLE documents RENAME COLUMN taken TO submitted");
      }
    }
  }

  private static void addColumns(Statement statement) throws SQLException {
    Set<String> present = columns(statement, "tasks");
    for (Map.Entry<String, String> column : ADDED.entrySet()) {
      if (!present.contains(column.getKey())) {
        statement.execute(
            "ALTER TABLE tasks ADD COLUMN " + column.getKey() + " " + column.getValue());
      }
    }
    if (!present.contains("framework_id")) {
      statement.execute(
          "UPDATE tasks SET framework_id = COALESCE((SELECT value FROM meta"
              + " WHERE key = 'framework_id'), '') WHERE agent_id <> ''");
    }
    if (present.contains("wanted_agent")) {
      statement.execute(
          "UPDATE tasks SET extras = '{\"constraints\":[{\"attribute\":\"hostname\","
              + "\"operator\":\"IS\",\"value\":' || json_quote(wanted_agent) || '}]}'"
              + " WHERE wanted_agent <> ''");
    }
  }

  private static Task task(ResultSet row) throws SQLException {
    return new Task(
        row.getLong("sequence"),
        block(row, Extras.parse(row.getString("extras"))),
        new LaunchState(
            row.getInt("attempt"),
            row.getInt("runs"),
            0,
            new TaskLocation(
                row.getString("framework_id"),
                row.getString("agent_id"),
                row.getString("hostname"),
                row.getString("agent_url"),
                split(row.getString("ports")).stream().map(Integer::valueOf).toList(),
                ""),
            row.getString("state").equals(TaskState.KILLING.name()),
            Usage.UNKNOWN,
            Optional.empty(),
            Optional.empty()),
        new TaskStatus(
            TaskState.valueOf(row.getString("state")),
            row.getString("reason"),
            row.getString("message"),
            row.getString("source")),
        new Times(
            Instant.ofEpochMilli(row.getLong("submitted_ms")),
            TaskRows.time(row, "started_ms"),
            TaskRows.time(row, "ended_ms")));
  }

  private static Block block(ResultSet row, Extras extras) throws SQLException {
    Program program =
        new Program(
            split(row.getString("interpreter")),
            row.getString("body"),
            pairs(row.getString("environment")),
            row.getString("directory"),
            new ExecutionEnvironment(
                Optional.ofNullable(extras.container()),
                or(extras.uris(), List.of()),
                or(extras.user(), ""),
                Optional.ofNullable(extras.health()),
                or(extras.secrets(), Set.of())));
    Requirements requirements =
        new Requirements(
            new Resources(
                row.getDouble("cpus"),
                row.getDouble("mem"),
                row.getDouble("disk"),
                row.getDouble("gpus")),
            split(row.getString("after_ids")).stream().map(TaskId::new).toList(),
            or(extras.ports(), List.of()),
            or(extras.role(), ""),
            or(extras.constraints(), List.of()));
    RunPolicy runPolicy =
        new RunPolicy(
            row.getInt("priority"),
            Duration.ofMillis(row.getLong("kill_grace_ms")),
            Duration.ofMillis(row.getLong("timeout_ms")),
            row.getInt("tail_lines"),
            new Retry(
                row.getInt("attempts"),
                extras.backoffMillis() == null
                    ? Retry.NONE.backoff()
                    : Duration.ofMillis(extras.backoffMillis()),
                or(extras.ensure(), Retry.Ensure.NOTHING)),
            ExecutorKind.AUTO);
    return new Block(
        new TaskId(row.getString("id")),
        new Origin(row.getString("name"), row.getString("document"), or(extras.group(), ""), ""),
        program,
        requirements,
        runPolicy);
  }

  private static <T> T or(T value, T otherwise) {
    return value == null ? otherwise : value;
  }

  private static List<String> split(String text) {
    List<String> words = new ArrayList<>(List.of(text.split(END, -1)));
    words.remove(words.size() - 1);
    words.replaceAll(word -> word.replace(ESCAPE + "f", END).replace(ESCAPE + "e", ESCAPE));
    return words;
  }

  private static Map<String, String> pairs(String text) {
    List<String> words = split(text);
    Map<String, String> pairs = new LinkedHashMap<>();
    for (int i = 0; i + 1 < words.size(); i += 2) {
      pairs.put(words.get(i), words.get(i + 1));
    }
    return pairs;
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.obmesos.task.Block;
import org.obmesos.task.Limits;
import org.obmesos.task.Needs;
import org.obmesos.task.Origin;
import org.obmesos.task.Placing;
import org.obmesos.task.Program;
import org.obmesos.task.Resources;
import org.obmesos.task.Site;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.obmesos.task.TaskState;
import org.obmesos.task.TaskStatus;
import org.obmesos.task.Times;

/** How tasks stand in the tables. Lists are one text, its elements ended by a unit separator. */
final class TaskRows {
  private static final String END = "\u001f";
  private static final String ESCAPE = "\u001e";

  private static final String SCHEMA =
      """
      CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS tasks (
        id TEXT PRIMARY KEY, sequence INTEGER NOT NULL UNIQUE,
        name TEXT NOT NULL, document TEXT NOT NULL,
        interpreter TEXT NOT NULL, body TEXT NOT NULL,
        environment TEXT NOT NULL, directory TEXT NOT NULL,
        cpus REAL NOT NULL, mem REAL NOT NULL, disk REAL NOT NULL,
        priority INTEGER NOT NULL, kill_grace_ms INTEGER NOT NULL, timeout_ms INTEGER NOT NULL,
        tail_lines INTEGER NOT NULL DEFAULT 10,
        gpus REAL NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 1,
        runs INTEGER NOT NULL DEFAULT 0,
        after_ids TEXT NOT NULL DEFAULT '',
        extras TEXT NOT NULL DEFAULT '',
        framework_id TEXT NOT NULL DEFAULT '',
        attempt INTEGER NOT NULL, agent_id TEXT NOT NULL, hostname TEXT NOT NULL,
        agent_url TEXT NOT NULL DEFAULT '', ports TEXT NOT NULL DEFAULT '',
        state TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, source TEXT NOT NULL,
        submitted_ms INTEGER NOT NULL, started_ms INTEGER, ended_ms INTEGER);
      CREATE TABLE IF NOT EXISTS results (
        id TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
        stdout TEXT NOT NULL, stdout_bytes INTEGER NOT NULL,
        truncated INTEGER NOT NULL, stderr_tail TEXT NOT NULL);
      """;

  private TaskRows() {}

  /** The columns that earlier servers did not have, in the order in which they came. */
  private static final Map<String, String> LATER = later();

  private static Map<String, String> later() {
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

  /** Makes the tables, or brings those of an earlier server up to date, by what they lack. */
  static void createSchema(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      Set<String> there = columns(statement);
      if (!there.isEmpty()) {
        update(statement, there);
      }
      for (String part : SCHEMA.split(";", -1)) {
        if (!part.isBlank()) {
          statement.execute(part);
        }
      }
      statement.execute(DocumentRows.SCHEMA);
    }
  }

  private static void update(Statement statement, Set<String> there) throws SQLException {
    for (Map.Entry<String, String> column : LATER.entrySet()) {
      if (!there.contains(column.getKey())) {
        statement.execute(
            "ALTER TABLE tasks ADD COLUMN " + column.getKey() + " " + column.getValue());
      }
    }
    if (!there.contains("framework_id")) {
      statement.execute(
          "UPDATE tasks SET framework_id = COALESCE((SELECT value FROM meta"
              + " WHERE key = 'framework_id'), '') WHERE agent_id <> ''");
    }
    if (there.contains("wanted_agent")) {
      statement.execute(
          "UPDATE tasks SET extras = '{\"constraints\":[{\"attribute\":\"hostname\","
              + "\"operator\":\"IS\",\"value\":' || json_quote(wanted_agent) || '}]}'"
              + " WHERE wanted_agent <> ''");
      statement.execute("ALTER TABLE tasks DROP COLUMN wanted_agent");
    }
  }

  private static Set<String> columns(Statement statement) throws SQLException {
    Set<String> names = new HashSet<>();
    try (ResultSet rows = statement.executeQuery("SELECT name FROM pragma_table_info('tasks')")) {
      while (rows.next()) {
        names.add(rows.getString(1));
      }
    }
    return names;
  }

  static void insert(Connection connection, Collection<Task> tasks) throws SQLException {
    String sql =
        """
        INSERT INTO tasks (id, sequence, name, document, interpreter, body, environment, directory,
          cpus, mem, disk, gpus, priority, kill_grace_ms, timeout_ms, tail_lines, attempts,
          after_ids, extras, attempt, runs, framework_id, agent_id, hostname, agent_url, ports,
          state, reason, message, source, submitted_ms, started_ms, ended_ms)
        VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)""";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (Task task : tasks) {
        fill(new Row(statement), task);
        statement.addBatch();
      }
      statement.executeBatch();
    }
  }

  private static void fill(Row row, Task task) throws SQLException {
    Block block = task.block();
    row.text(block.id().value()).number(task.sequence());
    row.text(block.origin().name()).text(block.origin().document());
    row.program(block.program());
    Resources resources = block.resources();
    row.real(resources.cpus()).real(resources.memMiB()).real(resources.diskMiB());
    row.real(resources.gpus());
    Limits limits = block.limits();
    row.number(limits.priority());
    row.number(limits.killGrace().toMillis()).number(limits.timeout().toMillis());
    row.number(limits.tailLines()).number(limits.retry().attempts());
    row.text(join(block.needs().after().stream().map(TaskId::value).toList()));
    row.text(Extras.write(block));
    row.placing(task.placing()).status(task.status());
    row.number(task.times().submitted().toEpochMilli());
    row.time(task.times().started()).time(task.times().ended());
  }

  static void update(Connection connection, Collection<Task> tasks) throws SQLException {
    String sql =
        """
        UPDATE tasks SET attempt=?, runs=?, framework_id=?, agent_id=?, hostname=?, agent_url=?,
          ports=?, state=?, reason=?, message=?, source=?, started_ms=?, ended_ms=? WHERE id=?""";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (Task task : tasks) {
        Row row = new Row(statement);
        row.placing(task.placing()).status(task.status());
        row.time(task.times().started()).time(task.times().ended());
        row.text(task.id().value());
        statement.addBatch();
      }
      statement.executeBatch();
    }
  }

  static void updatePrograms(Connection connection, Collection<Task> tasks) throws SQLException {
    String sql =
        "UPDATE tasks SET interpreter=?, body=?, environment=?, directory=?, extras=? WHERE id=?";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (Task task : tasks) {
        new Row(statement)
            .program(task.block().program())
            .text(Extras.write(task.block()))
            .text(task.id().value());
        statement.addBatch();
      }
      statement.executeBatch();
    }
  }

  static void putResult(Connection connection, TaskId id, TaskResult result) throws SQLException {
    String sql = "INSERT OR REPLACE INTO results VALUES (?,?,?,?,?)";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      Row row = new Row(statement);
      row.text(id.value()).text(result.stdout()).number(result.stdoutBytes());
      row.number(result.truncated() ? 1 : 0).text(result.stderrTail());
      statement.executeUpdate();
    }
  }

  static Optional<TaskResult> result(Connection connection, TaskId id) throws SQLException {
    String sql =
        "SELECT stdout, stdout_bytes, truncated, stderr_tail FROM results r"
            + " JOIN tasks t ON t.id = r.id WHERE r.id = ?";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, id.value());
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next()
            ? Optional.of(
                new TaskResult(
                    rows.getString(1), rows.getLong(2), rows.getBoolean(3), rows.getString(4)))
            : Optional.empty();
      }
    }
  }

  static List<Task> all(Connection connection) throws SQLException {
    List<Task> tasks = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT * FROM tasks ORDER BY sequence")) {
      while (row.next()) {
        Task task = read(row);
        tasks.add(task.state().isTerminal() ? task.withoutBody() : task);
      }
    }
    return tasks;
  }

  private static Task read(ResultSet row) throws SQLException {
    Extras extras = Extras.read(row.getString("extras"));
    Block block =
        new Block(
            new TaskId(row.getString("id")),
            new Origin(row.getString("name"), row.getString("document"), extras.groupOrNone()),
            new Program(
                split(row.getString("interpreter")),
                row.getString("body"),
                splitPairs(row.getString("environment")),
                row.getString("directory"),
                extras.surroundings()),
            new Needs(
                new Resources(
                    row.getDouble("cpus"),
                    row.getDouble("mem"),
                    row.getDouble("disk"),
                    row.getDouble("gpus")),
                split(row.getString("after_ids")).stream().map(TaskId::new).toList(),
                extras.portNames(),
                extras.roleOrNone(),
                extras.constraintsOrNone()),
            new Limits(
                row.getInt("priority"),
                Duration.ofMillis(row.getLong("kill_grace_ms")),
                Duration.ofMillis(row.getLong("timeout_ms")),
                row.getInt("tail_lines"),
                extras.retry(row.getInt("attempts"))));
    return new Task(
        row.getLong("sequence"),
        block,
        new Placing(
            row.getInt("attempt"),
            row.getInt("runs"),
            new Site(
                row.getString("framework_id"),
                row.getString("agent_id"),
                row.getString("hostname"),
                row.getString("agent_url"),
                split(row.getString("ports")).stream().map(Integer::valueOf).toList())),
        new TaskStatus(
            TaskState.valueOf(row.getString("state")),
            row.getString("reason"),
            row.getString("message"),
            row.getString("source")),
        new Times(
            Instant.ofEpochMilli(row.getLong("submitted_ms")),
            time(row, "started_ms"),
            time(row, "ended_ms")));
  }

  private static Optional<Instant> time(ResultSet row, String column) throws SQLException {
    long millis = row.getLong(column);
    return row.wasNull() ? Optional.empty() : Optional.of(Instant.ofEpochMilli(millis));
  }

  private static String join(List<String> words) {
    StringBuilder text = new StringBuilder();
    words.forEach(
        word ->
            text.append(word.replace(ESCAPE, ESCAPE + "e").replace(END, ESCAPE + "f")).append(END));
    return text.toString();
  }

  private static List<String> split(String text) {
    List<String> words = new ArrayList<>(List.of(text.split(END, -1)));
    words.remove(words.size() - 1);
    words.replaceAll(word -> word.replace(ESCAPE + "f", END).replace(ESCAPE + "e", ESCAPE));
    return words;
  }

  private static String joinPairs(Map<String, String> pairs) {
    List<String> words = new ArrayList<>();
    pairs.forEach(
        (name, value) -> {
          words.add(name);
          words.add(value);
        });
    return join(words);
  }

  private static Map<String, String> splitPairs(String text) {
    List<String> words = split(text);
    Map<String, String> pairs = new LinkedHashMap<>();
    for (int i = 0; i + 1 < words.size(); i += 2) {
      pairs.put(words.get(i), words.get(i + 1));
    }
    return pairs;
  }

  /** Fills the parameters of a statement one after the other. */
  private static final class Row {
    private final PreparedStatement statement;
    private int column;

    Row(PreparedStatement statement) {
      this.statement = statement;
    }

    Row text(String value) throws SQLException {
      statement.setString(++column, value);
      return this;
    }

    Row number(long value) throws SQLException {
      statement.setLong(++column, value);
      return this;
    }

    Row real(double value) throws SQLException {
      statement.setDouble(++column, value);
      return this;
    }

    Row time(Optional<Instant> value) throws SQLException {
      if (value.isPresent()) {
        return number(value.get().toEpochMilli());
      }
      statement.setNull(++column, Types.INTEGER);
      return this;
    }

    Row program(Program program) throws SQLException {
      return text(join(program.interpreter()))
          .text(program.body())
          .text(joinPairs(program.environment()))
          .text(program.directory());
    }

    Row placing(Placing placing) throws SQLException {
      return number(placing.attempt())
          .number(placing.runs())
          .text(placing.site().frameworkId())
          .text(placing.site().agentId())
          .text(placing.site().hostname())
          .text(placing.site().agentUrl())
          .text(join(placing.site().ports().stream().map(String::valueOf).toList()));
    }

    Row status(TaskStatus status) throws SQLException {
      return text(status.state().name())
          .text(status.reason())
          .text(status.message())
          .text(status.source());
    }
  }
}

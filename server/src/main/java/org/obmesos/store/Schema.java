// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/**
 * The tables, and the migrations that bring a database of an earlier version up to date. {@code
 * PRAGMA user_version} holds the version; 0 is an empty database, or one of the versions before
 * this number was used, which {@link LegacySchema} knows.
 */
final class Schema {
  static final int VERSION = 2;

  private static final List<String> VERSION_1 =
      List.of(
          "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
          """
          CREATE TABLE tasks (
            id TEXT PRIMARY KEY, sequence INTEGER NOT NULL UNIQUE,
            block TEXT NOT NULL, launch TEXT NOT NULL,
            state TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, source TEXT NOT NULL,
            submitted_ms INTEGER NOT NULL, started_ms INTEGER, ended_ms INTEGER)""",
          "CREATE INDEX tasks_ended ON tasks (ended_ms)",
          """
          CREATE TABLE results (
            id TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
            stdout TEXT NOT NULL, stdout_bytes INTEGER NOT NULL,
            truncated INTEGER NOT NULL, stderr_tail TEXT NOT NULL)""",
          """
          CREATE TABLE documents (
            id TEXT PRIMARY KEY, submitted_ms INTEGER NOT NULL, text TEXT NOT NULL,
            submitted INTEGER NOT NULL)""");

  private static final List<String> VERSION_2 =
      List.of(
          "ALTER TABLE results ADD COLUMN files TEXT",
          "CREATE TABLE executors (id TEXT PRIMARY KEY, description BLOB NOT NULL)");

  private Schema() {}

  /**
   * Creates or migrates the tables, in one transaction.
   *
   * @throws SQLException if that fails, or the database is of a later version than this server
   */
  static void migrate(Connection connection) throws SQLException {
    int version = version(connection);
    if (version > VERSION) {
      throw new SQLException(
          "the store has version "
              + version
              + ", this server knows only up to "
              + VERSION
              + ": please update it");
    }
    if (version == VERSION) {
      return;
    }
    try (Statement statement = connection.createStatement()) {
      // Dropping a table deletes its rows, and with them those that refer to them (SQLite's
      // documentation of ALTER TABLE, section 7).
      statement.execute("PRAGMA foreign_keys = OFF");
      connection.setAutoCommit(false);
      if (version == 0) {
        createVersion1(connection, statement);
      }
      for (String change : VERSION_2) {
        statement.execute(change);
      }
      statement.execute("PRAGMA user_version = " + VERSION);
      connection.commit();
    } catch (SQLException | RuntimeException e) {
      connection.rollback();
      throw e;
    } finally {
      connection.setAutoCommit(true);
    }
    try (Statement statement = connection.createStatement()) {
      statement.execute("PRAGMA foreign_keys = ON");
    }
  }

  private static void createVersion1(Connection connection, Statement statement)
      throws SQLException {
    if (LegacySchema.isPresent(statement)) {
      LegacySchema.migrate(connection, VERSION_1.get(1));
      statement.execute(VERSION_1.get(2));
    } else {
      for (String table : VERSION_1) {
        statement.execute(table);
      }
    }
  }

  private static int version(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("PRAGMA user_version")) {
      return row.next() ? row.getInt(1) : 0;
    }
  }
}

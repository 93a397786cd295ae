// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Reads and writes the table {@code executors}. */
final class ExecutorRows {
  private ExecutorRows() {}

  static void put(Connection connection, String id, byte[] description) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("INSERT OR REPLACE INTO executors VALUES (?, ?)")) {
      statement.setString(1, id);
      statement.setBytes(2, description);
      statement.executeUpdate();
    }
  }

  static Map<String, byte[]> all(Connection connection) throws SQLException {
    Map<String, byte[]> descriptions = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT id, description FROM executors")) {
      while (row.next()) {
        descriptions.put(row.getString(1), row.getBytes(2));
      }
    }
    return descriptions;
  }

  static void retain(Connection connection, Set<String> ids) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("DELETE FROM executors WHERE id = ?")) {
      for (String id : all(connection).keySet()) {
        if (!ids.contains(id)) {
          statement.setString(1, id);
          statement.addBatch();
        }
      }
      statement.executeBatch();
    }
  }
}

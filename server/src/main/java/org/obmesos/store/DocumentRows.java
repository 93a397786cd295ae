// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads and writes the table {@code documents}. */
final class DocumentRows {
  private DocumentRows() {}

  static void insert(Connection connection, StoredDocument document) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "INSERT INTO documents (id, submitted_ms, text, submitted) VALUES (?, ?, ?, ?)")) {
      statement.setString(1, document.id());
      statement.setLong(2, document.time().toEpochMilli());
      statement.setString(3, document.text());
      statement.setBoolean(4, document.submitted());
      statement.executeUpdate();
    }
  }

  static void change(Connection connection, String sql, String id) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, id);
      statement.executeUpdate();
    }
  }

  static List<String> ids(Connection connection) throws SQLException {
    try (PreparedStatement statement =
            connection.prepareStatement("SELECT id FROM documents ORDER BY submitted_ms");
        ResultSet rows = statement.executeQuery()) {
      List<String> ids = new ArrayList<>();
      while (rows.next()) {
        ids.add(rows.getString(1));
      }
      return ids;
    }
  }

  static Optional<StoredDocument> get(Connection connection, String id) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT * FROM documents WHERE id = ?")) {
      statement.setString(1, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? Optional.of(document(row)) : Optional.empty();
      }
    }
  }

  private static StoredDocument document(ResultSet row) throws SQLException {
    return new StoredDocument(
        row.getString("id"),
        Instant.ofEpochMilli(row.getLong("submitted_ms")),
        row.getString("text"),
        row.getBoolean("submitted"));
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.executor;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * What the last update of a task carries in its data: a line of JSON with sizes, then the first
 * bytes of stdout and of stderr.
 *
 * @param stdout its first bytes
 * @param stdoutSize the size of all of it, in bytes
 * @param stderr its first bytes
 * @param stderrSize the size of all of it, in bytes
 * @param usage the words of {@link org.obmesos.task.Usage#parse}; empty if it is not known
 */
public record TaskReport(
    ByteString stdout, long stdoutSize, ByteString stderr, long stderrSize, String usage) {
  /** The largest number of bytes of each file. */
  public static final int LIMIT = 64 * 1024;

  /** Returns whether it has the whole output. */
  public boolean isComplete() {
    return stdout.size() == stdoutSize && stderr.size() == stderrSize;
  }

  /** Returns the data of an update. */
  public ByteString toData() {
    JsonObject header = new JsonObject();
    header.addProperty("stdout", stdout.size());
    header.addProperty("stdout_size", stdoutSize);
    header.addProperty("stderr", stderr.size());
    header.addProperty("stderr_size", stderrSize);
    header.addProperty("usage", usage);
    return ByteString.copyFromUtf8(header + "\n").concat(stdout).concat(stderr);
  }

  /** Parses the data of an update; empty if it is not a report. */
  public static Optional<TaskReport> parse(ByteString data) {
    int end = data.isEmpty() ? -1 : endOfLine(data);
    if (end < 0) {
      return Optional.empty();
    }
    try {
      JsonObject header =
          JsonParser.parseString(data.substring(0, end).toString(StandardCharsets.UTF_8))
              .getAsJsonObject();
      int stdout = header.get("stdout").getAsInt();
      int stderr = header.get("stderr").getAsInt();
      int from = end + 1;
      return Optional.of(
          new TaskReport(
              data.substring(from, from + stdout),
              header.get("stdout_size").getAsLong(),
              data.substring(from + stdout, from + stdout + stderr),
              header.get("stderr_size").getAsLong(),
              header.get("usage").getAsString()));
    } catch (JsonParseException
        | IllegalStateException
        | IndexOutOfBoundsException
        | NullPointerException
        | NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static int endOfLine(ByteString data) {
    for (int i = 0; i < Math.min(data.size(), 1000); i++) {
      if (data.byteAt(i) == '\n') {
        return i;
      }
    }
    return -1;
  }
}

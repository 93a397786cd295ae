// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.regex.Pattern;

/**
 * The id of a task, chosen by the client.
 *
 * @param value 1 to 200 letters, digits, dots, underscores or hyphens, not starting with a dot.
 *     Mesos allows 255 characters (common/validation.cpp), but the id is also a directory name and
 *     a word in an Org document, and a launch appends its number.
 */
public record TaskId(String value) implements Comparable<TaskId> {
  private static final Pattern VALID = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}");

  /**
   * Validates the value.
   *
   * @throws InvalidBlockException if it is not valid
   */
  public TaskId {
    if (value == null || !VALID.matcher(value).matches()) {
      throw new InvalidBlockException(
          "id",
          "a task id is 1 to 200 letters, digits, '.', '_' or '-' and does not start with '.'");
    }
  }

  @Override
  public int compareTo(TaskId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}

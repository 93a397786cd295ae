// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.regex.Pattern;

/**
 * The identity of a task, proposed by the client and kept for ever.
 *
 * @param value 1 to 200 letters, digits, dots, underscores or hyphens, not starting with a dot. The
 *     rule is narrower than Mesos' own (at most 255 characters, no slash, no control character):
 *     the id also is a directory name and a word in an Org document, and a launch appends its
 *     number.
 */
public record TaskId(String value) implements Comparable<TaskId> {
  private static final Pattern VALID = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}");

  /**
   * Checks the rule above.
   *
   * @throws InvalidBlockException if the value breaks it
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

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.time.Instant;

/**
 * The earlier task whose result a task has.
 *
 * @param id its task id
 * @param endedMillis when it ended, in milliseconds since 1970
 */
public record ReusedResult(TaskId id, long endedMillis) {
  /** Returns when it ended. */
  public Instant ended() {
    return Instant.ofEpochMilli(endedMillis);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Instant;
import java.util.Optional;
import org.obmesos.task.Task;

/**
 * A session.
 *
 * @param name its name
 * @param began when its first task was launched
 * @param last its last task that was launched
 * @param busy whether that has not ended
 * @param lost why the session has ended without a task; empty if it has not
 */
public record SessionSummary(
    String name, Instant began, Task last, boolean busy, Optional<String> lost) {}

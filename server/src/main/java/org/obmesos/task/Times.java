// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * The times of a task.
 *
 * @param submitted when it was submitted
 * @param started when its current run was first reported RUNNING
 * @param ended when it was reported to have ended
 */
public record Times(Instant submitted, Optional<Instant> started, Optional<Instant> ended) {
  /** Rejects null components. */
  public Times {
    Objects.requireNonNull(submitted, "submitted");
    Objects.requireNonNull(started, "started");
    Objects.requireNonNull(ended, "ended");
  }

  static Times submittedAt(Instant now) {
    return new Times(now, Optional.empty(), Optional.empty());
  }

  /** Returns the times of a task that has entered the given state. */
  Times at(TaskState state, Instant now) {
    return new Times(
        submitted,
        switch (state) {
          case QUEUED -> Optional.empty();
          case RUNNING -> Optional.of(started.orElse(later(submitted, now)));
          default -> started;
        },
        state.isTerminal()
            ? Optional.of(ended.orElse(later(started.orElse(submitted), now)))
            : Optional.empty());
  }

  /** The clock of an agent can be behind. */
  private static Instant later(Instant first, Instant second) {
    return second.isBefore(first) ? first : second;
  }
}

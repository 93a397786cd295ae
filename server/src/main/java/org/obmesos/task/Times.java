// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * When things happened to a task.
 *
 * @param submitted when the client asked for it
 * @param started when it was first seen to run; the last time, if it was launched several times
 * @param ended when it was seen to have ended
 */
public record Times(Instant submitted, Optional<Instant> started, Optional<Instant> ended) {
  /** No component is null. */
  public Times {
    Objects.requireNonNull(submitted, "submitted");
    Objects.requireNonNull(started, "started");
    Objects.requireNonNull(ended, "ended");
  }

  /** The times of a task in the given state now. */
  Times at(TaskState state, Instant now) {
    return new Times(
        submitted,
        switch (state) {
          case QUEUED -> Optional.empty();
          case RUNNING -> Optional.of(started.orElse(now));
          default -> started;
        },
        state.isTerminal() ? Optional.of(ended.orElse(now)) : Optional.empty());
  }
}

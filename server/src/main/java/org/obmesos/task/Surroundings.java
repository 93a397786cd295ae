// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * What is around a program while it runs.
 *
 * @param container what it runs in; empty for the agent's own system
 * @param uris files the agent fetches first
 * @param user who runs it on the agent; empty for whoever runs this
 * @param health how to see that it does what it is for
 * @param secrets the names of variables whose values are kept nowhere
 */
public record Surroundings(
    Optional<Container> container,
    List<Uri> uris,
    String user,
    Optional<Health> health,
    Set<String> secrets) {
  /** The agent's own system, and nothing else. */
  public static final Surroundings NONE =
      new Surroundings(Optional.empty(), List.of(), "", Optional.empty(), Set.of());

  /**
   * Checks the user's name.
   *
   * @throws InvalidBlockException if it is no name
   */
  public Surroundings {
    Objects.requireNonNull(container, "container");
    Objects.requireNonNull(health, "health");
    uris = List.copyOf(uris);
    secrets = Set.copyOf(secrets);
    if (!user.matches("([A-Za-z_][A-Za-z0-9_.-]*\\$?)?")) {
      throw new InvalidBlockException("user", "the name of a user");
    }
  }

  /** Whether a program with no body runs what its image is for. */
  boolean hasEntrypoint() {
    return container.map(it -> it.image().entrypoint()).orElse(false);
  }
}

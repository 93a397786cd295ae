// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * The environment a program runs in.
 *
 * @param container the container; empty to run directly on the agent
 * @param uris the files the agent fetches first
 * @param user the user it runs as on the agent; empty for the user of this server
 * @param health the health check
 * @param secrets the names of the variables whose values are kept in memory only
 * @param session the session it belongs to; empty for a process of its own
 */
public record ExecutionEnvironment(
    Optional<Container> container,
    List<Uri> uris,
    String user,
    Optional<Health> health,
    Set<String> secrets,
    Optional<Session> session) {
  /** Directly on the agent, without files, health check or secrets. */
  public static final ExecutionEnvironment NONE =
      new ExecutionEnvironment(Optional.empty(), List.of(), "", Optional.empty(), Set.of());

  /** Without a session. */
  public ExecutionEnvironment(
      Optional<Container> container,
      List<Uri> uris,
      String user,
      Optional<Health> health,
      Set<String> secrets) {
    this(container, uris, user, health, secrets, Optional.empty());
  }

  /**
   * Validates the user's name.
   *
   * @throws InvalidBlockException if it is not a user name, or if there is a session with what only
   *     a process of its own can have
   */
  public ExecutionEnvironment {
    Objects.requireNonNull(container, "container");
    Objects.requireNonNull(health, "health");
    uris = List.copyOf(uris);
    secrets = Set.copyOf(secrets);
    // Before version 0.2 there were no sessions.
    session = session == null ? Optional.empty() : session;
    if (session.isPresent()
        && (container.isPresent()
            || !uris.isEmpty()
            || !user.isEmpty()
            || health.isPresent()
            || !secrets.isEmpty())) {
      throw new InvalidBlockException(
          "session", "none for a block with an image, URIs, a user, a health check or secrets");
    }
    if (!user.matches("([A-Za-z_][A-Za-z0-9_.-]*\\$?)?")) {
      throw new InvalidBlockException("user", "the name of a user");
    }
  }

  /** Returns whether an empty program runs the image's own command. */
  boolean hasEntrypoint() {
    return container.map(it -> it.image().entrypoint()).orElse(false);
  }
}

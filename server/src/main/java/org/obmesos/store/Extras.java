// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import com.google.gson.Gson;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.obmesos.task.Block;
import org.obmesos.task.Constraint;
import org.obmesos.task.Container;
import org.obmesos.task.Health;
import org.obmesos.task.Needs;
import org.obmesos.task.Retry;
import org.obmesos.task.Surroundings;
import org.obmesos.task.Uri;

/**
 * What few blocks ask for, in one column as JSON. A component that is null is not asked for; a
 * block that asks for none of it has an empty text.
 */
record Extras(
    String group,
    Container container,
    List<Uri> uris,
    String user,
    Health health,
    Set<String> secrets,
    List<String> ports,
    String role,
    List<Constraint> constraints,
    Long backoffMillis,
    Retry.Ensure ensure) {
  private static final Gson GSON = new Gson();
  private static final Extras NONE =
      new Extras(null, null, null, null, null, null, null, null, null, null, null);

  static String write(Block block) {
    Surroundings around = block.program().around();
    Needs needs = block.needs();
    Retry retry = block.limits().retry();
    Extras extras =
        new Extras(
            text(block.origin().group()),
            around.container().orElse(null),
            around.uris().isEmpty() ? null : around.uris(),
            text(around.user()),
            around.health().orElse(null),
            around.secrets().isEmpty() ? null : around.secrets(),
            needs.ports().isEmpty() ? null : needs.ports(),
            text(needs.role()),
            needs.constraints().isEmpty() ? null : needs.constraints(),
            retry.backoff().equals(Retry.NONE.backoff()) ? null : retry.backoff().toMillis(),
            retry.ensure() == Retry.Ensure.NOTHING ? null : retry.ensure());
    return extras.equals(NONE) ? "" : GSON.toJson(extras);
  }

  private static String text(String value) {
    return value.isEmpty() ? null : value;
  }

  static Extras read(String text) {
    return text.isEmpty() ? NONE : GSON.fromJson(text, Extras.class);
  }

  private static <T> T or(T value, T otherwise) {
    return Optional.ofNullable(value).orElse(otherwise);
  }

  String groupOrNone() {
    return or(group, "");
  }

  Surroundings surroundings() {
    return new Surroundings(
        Optional.ofNullable(container),
        or(uris, List.of()),
        or(user, ""),
        Optional.ofNullable(health),
        or(secrets, Set.of()));
  }

  List<String> portNames() {
    return or(ports, List.of());
  }

  String roleOrNone() {
    return or(role, "");
  }

  List<Constraint> constraintsOrNone() {
    return or(constraints, List.of());
  }

  /** With that many attempts. */
  Retry retry(int attempts) {
    return new Retry(
        attempts,
        backoffMillis == null ? Retry.NONE.backoff() : java.time.Duration.ofMillis(backoffMillis),
        or(ensure, Retry.Ensure.NOTHING));
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What to run.
 *
 * @param interpreter the words of the command that gets the body's file as its last argument
 * @param body the text of the block, expanded; at most {@link #MAX_BODY_BYTES} in UTF-8; empty if
 *     it comes later, with values that are not there yet, or if an image's own command is to run
 * @param environment variables set for the command
 * @param directory where it starts, relative to the sandbox; empty for the sandbox itself
 * @param around what is around it
 */
public record Program(
    List<String> interpreter,
    String body,
    Map<String, String> environment,
    String directory,
    Surroundings around) {

  /** The largest body, in bytes of UTF-8: a kernel takes 2 MiB of arguments by default. */
  public static final int MAX_BODY_BYTES = 1 << 20;

  /**
   * Checks what is said above.
   *
   * @throws InvalidBlockException if a component breaks it
   */
  public Program {
    interpreter = List.copyOf(interpreter);
    environment = Map.copyOf(environment);
    Objects.requireNonNull(directory, "directory");
    Objects.requireNonNull(around, "around");
    if (interpreter.isEmpty() || interpreter.get(0).isBlank()) {
      throw new InvalidBlockException("lang", "the interpreter's command is empty");
    }
    if (!body.isEmpty() && body.isBlank()) {
      throw new InvalidBlockException("body", "the block is empty");
    }
    if (body.getBytes(StandardCharsets.UTF_8).length > MAX_BODY_BYTES) {
      throw new InvalidBlockException("body", "at most " + MAX_BODY_BYTES + " bytes can be passed");
    }
    interpreter.forEach(word -> refuseNul("lang", word));
    refuseNul("body", body);
    refuseNul("dir", directory);
    environment.forEach(
        (name, value) -> {
          if (name.isEmpty() || name.indexOf('=') >= 0) {
            throw new InvalidBlockException("env", "a variable's name is not empty and has no '='");
          }
          refuseNul("env", name);
          refuseNul("env", value);
        });
  }

  private static void refuseNul(String argument, String text) {
    if (text.indexOf('\0') >= 0) {
      throw new InvalidBlockException(argument, "no NUL character can be passed");
    }
  }

  /** Whether the body comes later. */
  public boolean awaitsBody() {
    return body.isEmpty() && !around.hasEntrypoint();
  }

  /** The same without its body, for a task that has ended. */
  public Program withoutBody() {
    return awaitsBody() ? this : new Program(interpreter, "-", environment, directory, around);
  }
}

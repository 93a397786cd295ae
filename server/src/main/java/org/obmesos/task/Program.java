// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The command a task runs.
 *
 * @param interpreter the words of the command; the file with the body is its last argument
 * @param body the expanded text of the block, at most {@link #MAX_BODY_BYTES} in UTF-8; empty if it
 *     is submitted later or the image's own command runs
 * @param environment environment variables
 * @param directory the working directory: absolute, below the home directory ({@code ~/...}), or
 *     relative to the sandbox and made there; empty for the sandbox
 * @param executionEnvironment container, fetched files, user, health check and secrets
 */
public record Program(
    List<String> interpreter,
    String body,
    Map<String, String> environment,
    String directory,
    ExecutionEnvironment executionEnvironment) {
  /** The largest body, in bytes of UTF-8: a kernel takes 2 MiB of arguments by default. */
  public static final int MAX_BODY_BYTES = 1 << 20;

  /**
   * Validates the components.
   *
   * @throws InvalidBlockException if the interpreter is empty, the body is blank or too large, a
   *     variable's name is not valid, the directory is {@code ~user}, or any text contains a NUL
   *     character
   */
  public Program {
    interpreter = List.copyOf(interpreter);
    environment = Map.copyOf(environment);
    Objects.requireNonNull(directory, "directory");
    Objects.requireNonNull(executionEnvironment, "executionEnvironment");
    if (interpreter.isEmpty() || interpreter.get(0).isBlank()) {
      throw new InvalidBlockException("lang", "the interpreter's command is empty");
    }
    if (!body.isEmpty() && body.isBlank()) {
      throw new InvalidBlockException("body", "the block is empty");
    }
    if (body.getBytes(StandardCharsets.UTF_8).length > MAX_BODY_BYTES) {
      throw new InvalidBlockException("body", "at most " + MAX_BODY_BYTES + " bytes can be passed");
    }
    interpreter.forEach(word -> rejectNul("lang", word));
    rejectNul("body", body);
    rejectNul("dir", directory);
    if (directory.matches("~[^/].*")) {
      throw new InvalidBlockException("dir", "the home directory of another user cannot be given");
    }
    environment.forEach(
        (name, value) -> {
          if (name.isEmpty() || name.indexOf('=') >= 0) {
            throw new InvalidBlockException("env", "a variable's name is not empty and has no '='");
          }
          rejectNul("env", name);
          rejectNul("env", value);
        });
  }

  private static void rejectNul(String argument, String text) {
    if (text.indexOf('\0') >= 0) {
      throw new InvalidBlockException(argument, "no NUL character can be passed");
    }
  }

  /** Returns whether the body is submitted later. */
  public boolean awaitsBody() {
    return body.isEmpty() && !executionEnvironment.hasEntrypoint();
  }

  /** Returns this program without its body, which an ended task does not need. */
  public Program withoutBody() {
    return awaitsBody()
        ? this
        : new Program(interpreter, "-", environment, directory, executionEnvironment);
  }
}

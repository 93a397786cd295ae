// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * The session of a block: an interpreter that runs the blocks of the session one after the other
 * and keeps its state between them. Its command is that of the block that begins the session.
 *
 * @param name identifies the session among those of this server
 * @param request the line that makes the interpreter run a block (tasks.pl)
 * @param value whether the output of the block is what it writes into the file .ob-mesos-value
 * @param files names of files that are copied from the working directory of the interpreter to the
 *     sandbox of the block after it has run, if they exist; relative, without {@code ..}
 */
public record Session(String name, String request, boolean value, List<String> files) {
  /** The end of the message of a task whose session has ended with it. */
  public static final String ENDED = "; its session has ended";

  private static final String AGENT = "SOURCE_AGENT";
  private static final int MAX_NAME = 200;

  /**
   * Validates the components. A session that was stored without files has none.
   *
   * @throws InvalidBlockException if the name is empty or too long, the request is not one line, or
   *     a file is not below the working directory
   */
  public Session {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(request, "request");
    if (name.isBlank() || name.length() > MAX_NAME || name.chars().anyMatch(c -> c < ' ')) {
      throw new InvalidBlockException("session", "a name of at most " + MAX_NAME + " characters");
    }
    if (!request.contains("%s") || request.chars().anyMatch(c -> c < ' ')) {
      throw new InvalidBlockException(
          "session",
          "a request of one line, in which a percent sign and s stand for the directory");
    }
    files = files == null ? List.of() : List.copyOf(files);
    if (!files.stream().allMatch(Session::isBelowWorkingDirectory)) {
      throw new InvalidBlockException("session", "files below the working directory");
    }
  }

  private static boolean isBelowWorkingDirectory(String file) {
    return !file.isBlank()
        && file.chars().noneMatch(c -> c < ' ')
        && !Path.of(file).isAbsolute()
        && !Path.of(file).normalize().startsWith("..");
  }

  /**
   * Returns whether a session has ended with one of its tasks: its interpreter has, or its executor
   * or its agent was lost. Another end, such as one that the master tells in a reconciliation, says
   * nothing of the session; if it has ended all the same, its executor refuses the next task.
   *
   * @param last the last status of the task, which was launched
   */
  public static boolean hasEndedWith(TaskStatus last) {
    return last.message().endsWith(ENDED)
        || switch (last.state()) {
          case LOST, GONE, GONE_BY_OPERATOR -> true;
          case FAILED -> last.source().equals(AGENT);
          default -> false;
        };
  }
}

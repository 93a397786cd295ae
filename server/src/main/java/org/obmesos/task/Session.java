// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/**
 * The session of a block: an interpreter that runs the blocks of the session one after the other
 * and keeps its state between them. Its command is that of the block that begins the session.
 *
 * @param name identifies the session among those of this server
 * @param request the line that makes the interpreter run a block (tasks.pl)
 * @param value whether the output of the block is what it writes into the file .ob-mesos-value
 */
public record Session(String name, String request, boolean value) {
  /** The end of the message of a task whose session has ended with it. */
  public static final String ENDED = "; its session has ended";

  private static final String AGENT = "SOURCE_AGENT";
  private static final int MAX_NAME = 200;

  /**
   * Validates the name and the request.
   *
   * @throws InvalidBlockException if the name is empty or too long, or the request is not one line
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

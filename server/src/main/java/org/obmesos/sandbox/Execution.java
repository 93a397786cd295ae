// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A command in the container of a task: the client runs it itself, or an agent runs it. */
public sealed interface Execution {
  /**
   * A command on this machine, which the client runs with its own terminal or pipes.
   *
   * @param directory its working directory
   * @param argv its words
   * @param environment all its variables, NAME=VALUE each
   */
  record LocalCommand(Path directory, List<String> argv, List<String> environment)
      implements Execution {}

  /** A command that runs on an agent. Its input and its output are handled by two threads. */
  non-sealed interface Session extends Execution, AutoCloseable {
    /**
     * Reads output. Waits for it.
     *
     * @return empty at the end of the output, which is the end of the command
     * @throws IOException if the connection was lost, with a sentence for the user
     */
    Optional<Output> read() throws IOException;

    /** Passes the input to the command until its end; asks for it on a thread of the session. */
    void attach(Input input);

    /**
     * Waits for the end of the command.
     *
     * @return its status as wait(2) has it; empty if the agent does not know it
     */
    Optional<Integer> waitStatus() throws IOException;

    /** Ends the session, and the command with it. */
    @Override
    void close();
  }

  /**
   * A piece of output.
   *
   * @param error whether it is from standard error
   * @param data the bytes
   */
  record Output(boolean error, ByteString data) {}

  /** Where input comes from. */
  interface Input {
    /** Returns the next piece of input; waits for it. */
    InputEvent next() throws IOException;
  }

  /** A piece of input. */
  sealed interface InputEvent {
    /** Bytes for standard input. */
    record Data(ByteString bytes) implements InputEvent {}

    /** The end of standard input. */
    record End() implements InputEvent {}

    /** The terminal has another size. */
    record Resize(int rows, int columns) implements InputEvent {}
  }
}

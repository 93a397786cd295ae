// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.executor;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The texts of the Perl programs. */
public final class ExecutorProgram {
  private ExecutorProgram() {}

  /** Returns the supervisor of the embedded cluster; its argument is the work directory. */
  public static String supervisor() {
    return program("supervisor.pl");
  }

  /** Returns the shared executor of Mesos, without the comments and the indentation. */
  public static String executor() {
    return program("executor.pl")
        .lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty() && !line.startsWith("# "))
        .filter(line -> !line.equals("#"))
        .reduce("", (text, line) -> text + line + "\n");
  }

  private static String program(String last) {
    return resource("messages.pl")
        + resource("tasks.pl")
        + resource("sessions.pl")
        + resource(last);
  }

  private static String resource(String name) {
    try (InputStream source = ExecutorProgram.class.getResourceAsStream(name)) {
      return new String(source.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.executor;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;

/** The texts of the Perl programs. */
public final class ExecutorProgram {
  private ExecutorProgram() {}

  /** Returns the supervisor of the embedded cluster; its argument is the work directory. */
  public static String supervisor() {
    return program("supervisor.pl");
  }

  /**
   * Returns the shared executor of Mesos as the Base64 text of what gzip(1) makes of it. Without
   * the comments and the indentation it is a third as long: Mesos sends and stores the description
   * of an executor with each of its tasks.
   */
  public static String executor() {
    byte[] text =
        program("executor.pl")
            .lines()
            .map(String::strip)
            .filter(line -> !line.isEmpty() && !line.equals("#") && !line.startsWith("# "))
            .collect(Collectors.joining("\n"))
            .getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(compressed)) {
      gzip.write(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Base64.getEncoder().encodeToString(compressed.toByteArray());
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

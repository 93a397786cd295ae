// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.obmesos.executor.TaskReport;
import org.obmesos.task.TaskResult;

/** Decodes the output of tasks as UTF-8. Invalid bytes become U+FFFD, NUL becomes U+2400. */
public final class Outputs {
  /** The number of bytes at the end of a file that its last lines are taken from. */
  static final int TAIL_BYTES = 8 * 1024;

  private static final int STDERR_LINES = 20;

  /** A line of its own log that a Mesos command executor writes into its task's stderr. */
  private static final Pattern EXECUTOR_LOG =
      Pattern.compile(
          "[IWE]\\d{4} \\d{2}:\\d{2}:\\d{2}\\.\\d+ +\\d+ (?:exec|executor|process)\\.cpp:.*");

  /** After this line a command executor writes the processes that it has killed, in brackets. */
  private static final String PROCESSES_FOLLOW = "to the following process trees:";

  private Outputs() {}

  /**
   * Reads the output of an ended task.
   *
   * @param limit the largest number of bytes of stdout
   * @throws IOException if the sandbox cannot be read
   */
  public static TaskResult result(Sandbox sandbox, int limit) throws IOException {
    RotatedLog log = RotatedLog.whole(sandbox, "stdout");
    long size = log.size();
    byte[] head = log.read(0, (int) Math.min(size, limit));
    return result(head, size, tail(RotatedLog.whole(sandbox, "stderr"), STDERR_LINES));
  }

  /** Returns the result of a task from a report that has all of its output. */
  static TaskResult result(TaskReport report, int limit) {
    byte[] stdout = report.stdout().toByteArray();
    byte[] stderr = report.stderr().toByteArray();
    int from = Math.max(0, stderr.length - TAIL_BYTES);
    return result(
        stdout.length > limit ? Arrays.copyOf(stdout, limit) : stdout,
        stdout.length,
        tail(Arrays.copyOfRange(stderr, from, stderr.length), from > 0, STDERR_LINES));
  }

  private static TaskResult result(byte[] head, long size, String stderr) {
    int end = size > head.length ? wholeCharacters(head) : head.length;
    return new TaskResult(text(head, 0, end), size, size > head.length, stderr);
  }

  /** Emacs 28 rejects a JSON string with a NUL character, so NUL becomes U+2400. */
  private static String text(byte[] bytes, int from, int length) {
    return new String(bytes, from, length, StandardCharsets.UTF_8).replace('\0', '\u2400');
  }

  /** Returns the length without an incomplete character at the end. */
  static int wholeCharacters(byte[] bytes) {
    int lead = bytes.length - 1;
    while (lead >= 0 && lead > bytes.length - 4 && (bytes[lead] & 0xC0) == 0x80) {
      lead--;
    }
    if (lead < 0 || (bytes[lead] & 0xC0) != 0xC0) {
      return bytes.length;
    }
    int needed = bytes[lead] >= (byte) 0xF0 ? 4 : bytes[lead] >= (byte) 0xE0 ? 3 : 2;
    return bytes.length - lead < needed ? lead : bytes.length;
  }

  /** Returns the last lines of a log, from at most its last {@value #TAIL_BYTES} bytes. */
  static String tail(RotatedLog log, int lines) throws IOException {
    long from = Math.max(0, log.size() - TAIL_BYTES);
    return tail(log.read(from, TAIL_BYTES), from > 0, lines);
  }

  private static String tail(byte[] bytes, boolean cut, int lines) {
    int start = 0;
    while (cut && start < bytes.length && (bytes[start] & 0xC0) == 0x80) {
      start++;
    }
    String text = text(bytes, start, bytes.length - start);
    List<String> kept = new ArrayList<>();
    boolean listsProcesses = false;
    for (String line : text.split("\n", -1)) {
      if (EXECUTOR_LOG.matcher(line).matches()) {
        listsProcesses = line.endsWith(PROCESSES_FOLLOW);
      } else if (!listsProcesses) {
        kept.add(line);
      } else if (line.equals("]")) {
        listsProcesses = false;
      }
    }
    if (!kept.isEmpty() && kept.get(kept.size() - 1).isEmpty()) {
      kept.remove(kept.size() - 1);
    }
    return String.join("\n", kept.subList(Math.max(0, kept.size() - lines), kept.size()));
  }
}

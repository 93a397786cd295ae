// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.util.List;

/** The descriptions of signals that Mesos uses: those of strsignal(3) on Linux. */
final class Signals {
  private static final List<String> NAMES =
      List.of(
          "Unknown signal 0",
          "Hangup",
          "Interrupt",
          "Quit",
          "Illegal instruction",
          "Trace/breakpoint trap",
          "Aborted",
          "Bus error",
          "Floating point exception",
          "Killed",
          "User defined signal 1",
          "Segmentation fault",
          "User defined signal 2",
          "Broken pipe",
          "Alarm clock",
          "Terminated",
          "Stack fault",
          "Child exited",
          "Continued",
          "Stopped (signal)",
          "Stopped",
          "Stopped (tty input)",
          "Stopped (tty output)",
          "Urgent I/O condition",
          "CPU time limit exceeded",
          "File size limit exceeded",
          "Virtual timer expired",
          "Profiling timer expired",
          "Window changed",
          "I/O possible",
          "Power failure",
          "Bad system call");

  private Signals() {}

  static String describe(int number) {
    return number > 0 && number < NAMES.size() ? NAMES.get(number) : "Unknown signal " + number;
  }
}

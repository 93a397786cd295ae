// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a command ended. Mesos reports it only in the message of a status ("Command exited with
 * status 3", "Command terminated with signal Killed"), which is parsed leniently.
 *
 * @param status the exit status, if the command exited
 * @param signal the description of the signal that ended it, such as Killed
 */
public record Exit(OptionalInt status, Optional<String> signal) {
  /** Unknown. */
  public static final Exit UNKNOWN = new Exit(OptionalInt.empty(), Optional.empty());

  private static final Pattern STATUS = Pattern.compile("exited with status (\\d{1,9})");
  private static final Pattern SIGNAL = Pattern.compile("(?:with|by) signal ([^;(]+)");

  /** Parses the message of a status. */
  public static Exit parse(String message) {
    Matcher status = STATUS.matcher(message);
    if (status.find()) {
      return new Exit(OptionalInt.of(Integer.parseInt(status.group(1))), Optional.empty());
    }
    Matcher signal = SIGNAL.matcher(message);
    if (signal.find()) {
      return new Exit(OptionalInt.empty(), Optional.of(signal.group(1).trim()));
    }
    return UNKNOWN;
  }
}

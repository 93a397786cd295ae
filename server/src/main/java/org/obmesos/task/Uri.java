// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/**
 * A file for the sandbox, which the agent fetches before the task begins (Mesos' docs/fetcher.md).
 *
 * @param value where it is: a URI, or an absolute path on the agent
 * @param extract whether it is an archive to unpack
 * @param executable whether it is a program
 * @param cache whether the agent keeps it for the next task
 * @param name what it is called in the sandbox; empty for the last part of the value
 */
public record Uri(String value, boolean extract, boolean executable, boolean cache, String name) {
  /**
   * Checks the value and the name.
   *
   * @throws InvalidBlockException if there is no value, or the name leads out of the sandbox
   */
  public Uri {
    Objects.requireNonNull(name, "name");
    if (value.isBlank() || value.indexOf('\0') >= 0) {
      throw new InvalidBlockException("uris", "the URI of a file");
    }
    if (name.startsWith("/") || name.equals("..") || name.contains("../") || name.contains("\0")) {
      throw new InvalidBlockException("uris", "a name within the sandbox, which no '..' leaves");
    }
  }
}

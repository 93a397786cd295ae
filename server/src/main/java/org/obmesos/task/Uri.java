// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/**
 * A file that the agent fetches into the sandbox before the task starts (Mesos' docs/fetcher.md).
 *
 * @param value a URI, or an absolute path on the agent
 * @param extract whether to unpack it if it is an archive
 * @param executable whether to make it executable
 * @param cache whether the agent caches it
 * @param name its name in the sandbox; empty for the last part of the value
 */
public record Uri(String value, boolean extract, boolean executable, boolean cache, String name) {
  /**
   * Validates the value and the name.
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

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.List;
import java.util.Objects;

/**
 * What must be there before a block is launched.
 *
 * @param resources room for it; some cpu and some memory
 * @param after tasks that must have finished well
 * @param agent the name of the host it is to run on; empty if any will do
 */
public record Needs(Resources resources, List<TaskId> after, String agent) {
  /**
   * Checks the resources against Mesos' least amounts.
   *
   * @throws InvalidBlockException if the block asks for no cpu or no memory
   */
  public Needs {
    Objects.requireNonNull(resources, "resources");
    Objects.requireNonNull(agent, "agent");
    after = List.copyOf(after);
    if (resources.cpus() <= 0) {
      throw new InvalidBlockException("cpus", "a number above 0");
    }
    if (resources.memMiB() <= 0) {
      throw new InvalidBlockException("mem", "a size above 0");
    }
  }
}

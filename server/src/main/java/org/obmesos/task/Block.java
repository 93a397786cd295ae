// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/**
 * One thing a user asked to run: a source block or a call of one.
 *
 * @param id its identity
 * @param origin where it stands
 * @param program what to run
 * @param resources what it needs; some cpu and some memory
 * @param limits how it is treated
 */
public record Block(TaskId id, Origin origin, Program program, Resources resources, Limits limits) {

  /**
   * Checks the resources against Mesos' least amounts.
   *
   * @throws InvalidBlockException if the block asks for no cpu or no memory
   */
  public Block {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(origin, "origin");
    Objects.requireNonNull(program, "program");
    Objects.requireNonNull(limits, "limits");
    if (resources.cpus() <= 0) {
      throw new InvalidBlockException("cpus", "a number above 0");
    }
    if (resources.memMiB() <= 0) {
      throw new InvalidBlockException("mem", "a size above 0");
    }
  }

  /** The same without its body, for a task that has ended. */
  public Block withoutBody() {
    return new Block(id, origin, program.withoutBody(), resources, limits);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.List;
import java.util.Objects;

/**
 * One thing a user asked to run: a source block or a call of one.
 *
 * @param id its identity
 * @param origin where it stands
 * @param program what to run
 * @param needs what it waits for
 * @param limits how it is treated
 */
public record Block(TaskId id, Origin origin, Program program, Needs needs, Limits limits) {

  /**
   * Checks that it does not wait for itself, and that its health check has a port.
   *
   * @throws InvalidBlockException if one of this is not so
   */
  public Block {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(origin, "origin");
    Objects.requireNonNull(program, "program");
    Objects.requireNonNull(limits, "limits");
    program.around().health().ifPresent(health -> health.checkPort(needs.ports()));
    if (needs.after().contains(id)) {
      throw new InvalidBlockException("after", "a block cannot come after itself");
    }
  }

  /** One that waits for room only. */
  public Block(TaskId id, Origin origin, Program program, Resources resources, Limits limits) {
    this(id, origin, program, new Needs(resources), limits);
  }

  /** How many ports it gets from those that are offered. */
  public int offeredPorts() {
    return needs.ports().size()
        + program.around().container().map(Container::offeredPorts).orElse(0);
  }

  /** The ports of its host that it names itself. */
  public Ports fixedPorts() {
    return Ports.ofNumbers(
        program.around().container().map(Container::fixedPorts).orElse(List.of()));
  }

  /** What it uses while it runs. */
  public Resources resources() {
    return needs.resources();
  }

  /** The same with another program. */
  public Block with(Program other) {
    return new Block(id, origin, other, needs, limits);
  }

  /** The same without its body, for a task that has ended. */
  public Block withoutBody() {
    return with(program.withoutBody());
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * What must be there before a block is launched.
 *
 * @param resources room for it; some cpu and some memory
 * @param after tasks that must have finished well
 * @param ports the names of ports it gets from the agent's; numbers are names too
 * @param role whose resources it uses; empty for anybody's
 * @param constraints where it may run
 */
public record Needs(
    Resources resources,
    List<TaskId> after,
    List<String> ports,
    String role,
    List<Constraint> constraints) {
  private static final int MAX_PORTS = 100;

  /** Room only. */
  public Needs(Resources resources) {
    this(resources, List.of(), List.of(), "", List.of());
  }

  /**
   * Checks the resources against Mesos' least amounts.
   *
   * @throws InvalidBlockException if the block asks for no cpu or no memory, or a name is none
   */
  public Needs {
    Objects.requireNonNull(resources, "resources");
    after = List.copyOf(after);
    ports = List.copyOf(ports);
    constraints = List.copyOf(constraints);
    if (ports.size() > MAX_PORTS || !ports.stream().allMatch(name -> name.matches("[\\w-]+"))) {
      throw new InvalidBlockException("ports", "how many, or names; at most " + MAX_PORTS);
    }
    if (Set.copyOf(ports).size() < ports.size()) {
      throw new InvalidBlockException("ports", "names that differ");
    }
    if (!role.matches("[^\\s*./-][^\\s*]*|")) {
      throw new InvalidBlockException("role", "the name of a role");
    }
    if (resources.cpus() <= 0) {
      throw new InvalidBlockException("cpus", "a number above 0");
    }
    if (resources.memMiB() <= 0) {
      throw new InvalidBlockException("mem", "a size above 0");
    }
  }
}

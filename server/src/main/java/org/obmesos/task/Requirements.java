// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * What must be available before a block is launched.
 *
 * @param resources the resources it uses; cpus and memory above 0
 * @param after the tasks that must have finished successfully
 * @param ports the names of ports it gets from the offer; a number is a name too; at most 100
 * @param role the role whose resources it uses; empty for the default role
 * @param constraints the placement constraints
 */
public record Requirements(
    Resources resources,
    List<TaskId> after,
    List<String> ports,
    String role,
    List<Constraint> constraints) {
  private static final int MAX_PORTS = 100;

  /** Creates requirements of resources only. */
  public Requirements(Resources resources) {
    this(resources, List.of(), List.of(), "", List.of());
  }

  /**
   * Validates the components.
   *
   * @throws InvalidBlockException if cpus or memory are 0, there are too many ports, two ports have
   *     the same name, or a name is not valid
   */
  public Requirements {
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

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import java.util.List;
import java.util.Map;
import org.obmesos.task.Block;
import org.obmesos.task.Limits;
import org.obmesos.task.Needs;
import org.obmesos.task.Origin;
import org.obmesos.task.Program;
import org.obmesos.task.Resources;
import org.obmesos.task.Retry;
import org.obmesos.task.Surroundings;
import org.obmesos.task.TaskId;

/** Blocks for tests: a plain one, and what can be changed of it. */
public final class Blocks {
  private Blocks() {}

  /** A block of the shell that asks for little. */
  public static Block of(String id, String body) {
    return new Block(
        new TaskId(id),
        new Origin("", ""),
        new Program(List.of("sh"), body, Map.of(), "", Surroundings.NONE),
        new Resources(0.1, 16, 0),
        Limits.DEFAULT);
  }

  /** The same, from elsewhere. */
  public static Block from(Block block, Origin origin) {
    return new Block(block.id(), origin, block.program(), block.needs(), block.limits());
  }

  /** The same with other needs. */
  public static Block needing(Block block, Needs needs) {
    return new Block(block.id(), block.origin(), block.program(), needs, block.limits());
  }

  /** The same with other things around it. */
  public static Block in(Block block, Surroundings around) {
    Program program = block.program();
    return block.with(
        new Program(
            program.interpreter(),
            program.body(),
            program.environment(),
            program.directory(),
            around));
  }

  /** The same that runs again otherwise. */
  public static Block retrying(Block block, Retry retry) {
    Limits usual = block.limits();
    return new Block(
        block.id(),
        block.origin(),
        block.program(),
        block.needs(),
        new Limits(usual.priority(), usual.killGrace(), usual.timeout(), usual.tailLines(), retry));
  }
}

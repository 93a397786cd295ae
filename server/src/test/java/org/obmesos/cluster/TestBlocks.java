// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.mesos.v1.Protos.Resource;
import org.obmesos.driver.MesosResources;
import org.obmesos.task.Block;
import org.obmesos.task.ExecutionEnvironment;
import org.obmesos.task.Origin;
import org.obmesos.task.Ports;
import org.obmesos.task.Program;
import org.obmesos.task.Requirements;
import org.obmesos.task.Resources;
import org.obmesos.task.Retry;
import org.obmesos.task.RunPolicy;
import org.obmesos.task.Session;
import org.obmesos.task.TaskId;

/** Blocks for tests: a plain one, and copies of it with one thing changed. */
public final class TestBlocks {
  private TestBlocks() {}

  /** A block of the shell that asks for little. */
  public static Block of(String id, String body) {
    return new Block(
        new TaskId(id),
        new Origin("", ""),
        new Program(List.of("sh"), body, Map.of(), "", ExecutionEnvironment.NONE),
        new Resources(0.1, 16, 0),
        RunPolicy.DEFAULT);
  }

  /** The same, from elsewhere. */
  public static Block from(Block block, Origin origin) {
    return new Block(block.id(), origin, block.program(), block.requirements(), block.runPolicy());
  }

  /** The same with other needs. */
  public static Block needing(Block block, Requirements needs) {
    return new Block(block.id(), block.origin(), block.program(), needs, block.runPolicy());
  }

  /** The same with other things around it. */
  public static Block in(Block block, ExecutionEnvironment around) {
    Program program = block.program();
    return block.with(
        new Program(
            program.interpreter(),
            program.body(),
            program.environment(),
            program.directory(),
            around));
  }

  /** The same in a session. */
  public static Block inSession(Block block, String name) {
    return in(
        block,
        new ExecutionEnvironment(
            Optional.empty(),
            List.of(),
            "",
            Optional.empty(),
            Set.of(),
            Optional.of(new Session(name, "run %s", false, List.of()))));
  }

  /** The same that runs again otherwise. */
  public static Block retrying(Block block, Retry retry) {
    RunPolicy usual = block.runPolicy();
    return new Block(
        block.id(),
        block.origin(),
        block.program(),
        block.requirements(),
        new RunPolicy(
            usual.priority(),
            usual.killGrace(),
            usual.timeout(),
            usual.tailLines(),
            retry,
            usual.executor()));
  }

  /** Returns the scalar resources of a list. */
  public static Resources scalars(List<Resource> resources) {
    return MesosResources.available(resources).scalars();
  }

  /** Returns the ports of a list. */
  public static Ports ports(List<Resource> resources) {
    return MesosResources.available(resources).ports();
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A source block or call that was submitted.
 *
 * @param id the task id
 * @param origin the document the block stands in
 * @param program the command to run
 * @param requirements the resources and placement it needs
 * @param runPolicy priority, timeouts and retries
 * @param reuse whether the result of an earlier task takes the place of a run
 */
public record Block(
    TaskId id,
    Origin origin,
    Program program,
    Requirements requirements,
    RunPolicy runPolicy,
    Reuse reuse) {
  /**
   * Validates the combination of components.
   *
   * @throws InvalidBlockException if the block depends on itself, its health check names a port
   *     that is neither a number nor one of the block's ports, or it is to share an executor and
   *     cannot
   */
  public Block {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(origin, "origin");
    Objects.requireNonNull(program, "program");
    Objects.requireNonNull(runPolicy, "runPolicy");
    // Before version 0.3 nothing was reused.
    reuse = Objects.requireNonNullElse(reuse, Reuse.NONE);
    runPolicy.retry().checkMemory(requirements.resources());
    program.executionEnvironment().health().ifPresent(it -> it.checkPort(requirements.ports()));
    if (requirements.after().contains(id)) {
      throw new InvalidBlockException("after", "a block cannot come after itself");
    }
    if (program.executionEnvironment().session().isPresent()
        && !runPolicy.retry().equals(Retry.NONE)) {
      throw new InvalidBlockException(
          "session", "none for a block with attempts, backoff, ensure or memory that can grow");
    }
    if (runPolicy.executor() == ExecutorKind.SHARED
        && !canShareExecutor(program, requirements, runPolicy)) {
      throw new InvalidBlockException(
          "executor",
          "own for a block with a session, an image, URIs, a user, a health check, GPUs, secrets or memory"
              + " that can grow");
    }
  }

  /** Creates a block without a policy of reuse. */
  public Block(
      TaskId id, Origin origin, Program program, Requirements requirements, RunPolicy runPolicy) {
    this(id, origin, program, requirements, runPolicy, Reuse.NONE);
  }

  /** Creates a block that requires only resources. */
  public Block(
      TaskId id, Origin origin, Program program, Resources resources, RunPolicy runPolicy) {
    this(id, origin, program, new Requirements(resources), runPolicy);
  }

  /** Returns whether it needs nothing that an executor has for one task only. */
  public boolean canShareExecutor() {
    return canShareExecutor(program, requirements, runPolicy);
  }

  /** Returns the session it belongs to. */
  public Optional<Session> session() {
    return program.executionEnvironment().session();
  }

  /** Returns this block with other resources. */
  public Block with(Resources resources) {
    return new Block(
        id,
        origin,
        program,
        new Requirements(
            resources,
            requirements.after(),
            requirements.ports(),
            requirements.role(),
            requirements.constraints()),
        runPolicy,
        reuse);
  }

  /** Memory that grows after a kill is that of a container of its own. */
  private static boolean canShareExecutor(
      Program program, Requirements requirements, RunPolicy runPolicy) {
    return program.executionEnvironment().equals(ExecutionEnvironment.NONE)
        && requirements.resources().gpus() == 0
        && runPolicy.retry().maxMemMiB() == 0;
  }

  /** Returns the number of ports it gets from those in an offer. */
  public int offeredPorts() {
    return requirements.ports().size()
        + program.executionEnvironment().container().map(Container::offeredPorts).orElse(0);
  }

  /** Returns the host ports it names itself. */
  public Ports fixedPorts() {
    return Ports.ofNumbers(
        program.executionEnvironment().container().map(Container::fixedPorts).orElse(List.of()));
  }

  /** Returns the resources it uses while it runs. */
  public Resources resources() {
    return requirements.resources();
  }

  /** Returns this block with twice its memory, up to its limit; empty if it has that already. */
  public Optional<Block> withMoreMemory() {
    Resources now = resources();
    double memMiB = Math.min(2 * now.memMiB(), runPolicy.retry().maxMemMiB());
    return memMiB <= now.memMiB()
        ? Optional.empty()
        : Optional.of(with(new Resources(now.cpus(), memMiB, now.diskMiB(), now.gpus())));
  }

  /** Returns this block with another program. */
  public Block with(Program other) {
    return new Block(id, origin, other, requirements, runPolicy, reuse);
  }

  /** Returns this block with another policy of reuse. */
  public Block with(Reuse other) {
    return new Block(id, origin, program, requirements, runPolicy, other);
  }

  /** Returns this block without its body, which an ended task does not need. */
  public Block withoutBody() {
    return with(program.withoutBody());
  }
}

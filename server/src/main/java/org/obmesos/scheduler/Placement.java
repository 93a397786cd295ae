// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.obmesos.task.AvailableResources;
import org.obmesos.task.Block;
import org.obmesos.task.Ports;

/**
 * First-fit placement as a pure function: each queued task, in order, goes to the first offer that
 * still fits it. A task that fits none is skipped and keeps its place in the queue.
 */
final class Placement {
  private Placement() {}

  /** Restricts which task may go to which offer. */
  interface Rule<O, T> {
    /** Returns whether a task may go to an offer, after those placed before it. */
    boolean allows(T task, O offer);

    /**
     * Returns what a shared executor for the task takes of an offer besides, after the tasks placed
     * before it; empty if the task gets an executor of its own there.
     */
    default Optional<AvailableResources> overhead(T task, O offer) {
      return Optional.empty();
    }

    /**
     * A task was placed.
     *
     * @param shares whether on a shared executor
     */
    void placed(T task, O offer, boolean shares);
  }

  /**
   * A queued task.
   *
   * @param task identifies it
   * @param block what it requires
   */
  record Candidate<T>(T task, Block block) {}

  /**
   * A task with its offer.
   *
   * @param task identifies it
   * @param ports the ports it gets, in the order of their names
   * @param shares whether it gets a shared executor
   */
  record Placed<T>(T task, List<Integer> ports, boolean shares) {}

  /**
   * Assigns tasks to offers.
   *
   * @param offers the resources of each offer, in order
   * @param queue the tasks, in order; read until the offers are exhausted
   * @param <O> identifies an offer
   * @param <T> identifies a task
   * @return the tasks of each offer that is used, in order
   */
  static <O, T> Map<O, List<Placed<T>>> plan(
      Map<O, AvailableResources> offers, Stream<Candidate<T>> queue, Rule<O, T> rule) {
    Map<O, AvailableResources> left = new LinkedHashMap<>(offers);
    Map<O, List<Placed<T>>> plan = new LinkedHashMap<>();
    Iterator<Candidate<T>> candidates = queue.iterator();
    while (!left.values().stream().allMatch(AvailableResources::isExhausted)
        && candidates.hasNext()) {
      Candidate<T> candidate = candidates.next();
      Block block = candidate.block();
      firstFit(left, candidate, rule)
          .ifPresent(
              offer -> {
                Optional<AvailableResources> overhead =
                    rule.overhead(candidate.task(), offer)
                        .filter(left.get(offer)::contains)
                        .filter(it -> left.get(offer).minus(it).fits(block));
                AvailableResources available =
                    left.get(offer).minus(overhead.orElse(AvailableResources.NONE));
                List<Integer> ports =
                    available.ports().minus(block.fixedPorts()).pick(block.offeredPorts());
                Ports taken = block.fixedPorts().plus(Ports.ofNumbers(ports));
                left.put(offer, available.minus(new AvailableResources(block.resources(), taken)));
                rule.placed(candidate.task(), offer, overhead.isPresent());
                plan.computeIfAbsent(offer, key -> new ArrayList<>())
                    .add(new Placed<>(candidate.task(), ports, overhead.isPresent()));
              });
    }
    return plan;
  }

  private static <O, T> Optional<O> firstFit(
      Map<O, AvailableResources> left, Candidate<T> candidate, Rule<O, T> rule) {
    for (Map.Entry<O, AvailableResources> offer : left.entrySet()) {
      if (offer.getValue().fits(candidate.block())
          && rule.allows(candidate.task(), offer.getKey())) {
        return Optional.of(offer.getKey());
      }
    }
    return Optional.empty();
  }
}

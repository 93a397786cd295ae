// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.obmesos.task.Block;
import org.obmesos.task.Ports;

/**
 * What to launch on which offer: each waiting task, in order, goes to the first offer that still
 * has room for it. A task that fits nowhere is passed over and keeps its place.
 */
final class Placement {
  private Placement() {}

  /** Who may go where. */
  interface Rule<O, T> {
    /** Whether a task may go to an offer, now that others have been given theirs. */
    boolean suits(T task, O offer);

    /** A task goes there. */
    void placed(T task, O offer);
  }

  /**
   * A task's wish.
   *
   * @param task its name
   * @param block what it needs
   */
  record Wanted<T>(T task, Block block) {}

  /**
   * A task that has a place.
   *
   * @param task its name
   * @param ports those it is given, in the order of their names
   */
  record Placed<T>(T task, List<Integer> ports) {}

  /**
   * Divides offers among tasks.
   *
   * @param offers what each offer has, in order
   * @param waiting what each task wants, in the order of their turn
   * @param <O> names an offer
   * @param <T> names a task
   * @return for each offer that is used, the tasks to launch on it, in the order of their turn
   */
  static <O, T> Map<O, List<Placed<T>>> plan(
      Map<O, Room> offers, Iterable<Wanted<T>> waiting, Rule<O, T> rule) {
    Map<O, Room> left = new LinkedHashMap<>(offers);
    Map<O, List<Placed<T>>> plan = new LinkedHashMap<>();
    for (Wanted<T> wanted : waiting) {
      if (left.values().stream().allMatch(Room::isUsedUp)) {
        break;
      }
      Block block = wanted.block();
      firstFit(left, wanted, rule)
          .ifPresent(
              offer -> {
                Room room = left.get(offer);
                List<Integer> ports =
                    room.ports().minus(block.fixedPorts()).pick(block.offeredPorts());
                left.put(offer, room.minus(block, block.fixedPorts().plus(Ports.ofNumbers(ports))));
                rule.placed(wanted.task(), offer);
                plan.computeIfAbsent(offer, key -> new ArrayList<>())
                    .add(new Placed<>(wanted.task(), ports));
              });
    }
    return plan;
  }

  private static <O, T> Optional<O> firstFit(Map<O, Room> left, Wanted<T> wanted, Rule<O, T> rule) {
    return left.entrySet().stream()
        .filter(offer -> offer.getValue().holds(wanted.block()))
        .filter(offer -> rule.suits(wanted.task(), offer.getKey()))
        .map(Map.Entry::getKey)
        .findFirst();
  }
}

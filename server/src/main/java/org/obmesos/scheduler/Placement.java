// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.obmesos.task.Resources;

/**
 * What to launch on which offer: each waiting task, in order, goes to the first offer that still
 * has room for it. A task that fits nowhere is passed over and keeps its place.
 */
final class Placement {
  private Placement() {}

  /**
   * Divides offers among tasks.
   *
   * @param offers what each offer has, in order
   * @param waiting what each task wants, in the order of their turn
   * @param <O> names an offer
   * @param <T> names a task
   * @return for each offer that is used, the tasks to launch on it, in the order of their turn
   */
  static <O, T> Map<O, List<T>> plan(Map<O, Resources> offers, Iterable<Wanted<O, T>> waiting) {
    Map<O, Resources> left = new LinkedHashMap<>(offers);
    Map<O, List<T>> plan = new LinkedHashMap<>();
    for (Wanted<O, T> wanted : waiting) {
      if (left.values().stream().allMatch(Placement::isUsedUp)) {
        break;
      }
      firstFit(left, wanted)
          .ifPresent(
              offer -> {
                left.computeIfPresent(offer, (key, room) -> room.minus(wanted.resources()));
                plan.computeIfAbsent(offer, key -> new ArrayList<>()).add(wanted.task());
              });
    }
    return plan;
  }

  /**
   * A task's wish.
   *
   * @param task its name
   * @param resources what it needs
   * @param suits which offers it can take
   */
  record Wanted<O, T>(T task, Resources resources, Predicate<O> suits) {}

  private static <O, T> Optional<O> firstFit(Map<O, Resources> left, Wanted<O, T> wanted) {
    return left.entrySet().stream()
        .filter(offer -> offer.getValue().contains(wanted.resources()))
        .filter(offer -> wanted.suits().test(offer.getKey()))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /** No task can do without cpu and memory. */
  private static boolean isUsedUp(Resources room) {
    return room.cpus() <= 0 || room.memMiB() <= 0;
  }
}

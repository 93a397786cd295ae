// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.obmesos.task.Resources;

/** Why a task does not fit anywhere, in words. */
final class Shortage {
  private Shortage() {}

  /**
   * Says what a task wants more of than there is.
   *
   * @param wanted what the task wants
   * @param rooms what each agent has
   * @return empty if one of them has enough of everything
   */
  static Optional<String> of(Resources wanted, Collection<Resources> rooms) {
    if (rooms.stream().anyMatch(room -> room.contains(wanted))) {
      return Optional.empty();
    }
    List<String> words = new ArrayList<>();
    compare(words, "cpus", Resources::cpus, wanted, rooms);
    compare(words, "MiB of memory", Resources::memMiB, wanted, rooms);
    compare(words, "MiB of disk", Resources::diskMiB, wanted, rooms);
    compare(words, "gpus", Resources::gpus, wanted, rooms);
    return Optional.of(
        words.isEmpty()
            ? "wants more than any one agent has offered so far"
            : "wants " + String.join(", ", words));
  }

  private static void compare(
      List<String> words,
      String what,
      ToDoubleFunction<Resources> kind,
      Resources wanted,
      Collection<Resources> rooms) {
    double most = rooms.stream().mapToDouble(kind).max().orElse(0);
    double wish = kind.applyAsDouble(wanted);
    if (wish > most) {
      words.add(
          String.format(
              Locale.ROOT, "%s %s, the most there is is %s", number(wish), what, number(most)));
    }
  }

  private static String number(double value) {
    return value == Math.rint(value)
        ? Long.toString((long) value)
        : String.format(Locale.ROOT, "%.3g", value);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.obmesos.task.Resources;

/**
 * Who has what of the one agent: tasks, outstanding offers, and what is left for the next offer. A
 * declined amount is not offered again until its filter has run out, unless more has become free
 * meanwhile or the framework revives. Used from one thread.
 */
final class Allocator {
  /** The least a Mesos master bothers to offer (MIN_CPUS, MIN_MEM in constants.hpp). */
  private static final double LEAST_CPUS = 0.01;

  private static final double LEAST_MEM = 32;

  private record Filter(Resources refused, Instant until) {}

  private final Resources capacity;
  private final Map<String, Resources> offers = new LinkedHashMap<>();
  private final List<Filter> filters = new ArrayList<>();
  private Resources used = Resources.NONE;
  private boolean suppressed;

  Allocator(Resources capacity) {
    this.capacity = capacity;
  }

  /** What is free, if it should be offered now. */
  Optional<Resources> offerable(Instant now) {
    filters.removeIf(filter -> !filter.until().isAfter(now));
    Resources free = free();
    boolean filtered = filters.stream().anyMatch(filter -> filter.refused().contains(free));
    return suppressed || filtered || (free.cpus() < LEAST_CPUS && free.memMiB() < LEAST_MEM)
        ? Optional.empty()
        : Optional.of(free);
  }

  /** After a restart with a smaller capacity more can be in use than there is. */
  private Resources free() {
    Resources taken = offers.values().stream().reduce(used, Resources::plus);
    return new Resources(
        Math.max(0, capacity.cpus() - taken.cpus()),
        Math.max(0, capacity.memMiB() - taken.memMiB()),
        Math.max(0, capacity.diskMiB() - taken.diskMiB()),
        Math.max(0, capacity.gpus() - taken.gpus()));
  }

  void offered(String offerId, Resources amount) {
    offers.put(offerId, amount);
  }

  boolean isOutstanding(String offerId) {
    return offers.containsKey(offerId);
  }

  /** Takes an offer back. */
  Resources withdraw(String offerId) {
    return offers.remove(offerId);
  }

  void withdrawAll() {
    offers.clear();
    filters.clear();
  }

  void use(Resources amount) {
    used = used.plus(amount);
  }

  void release(Resources amount) {
    used = used.minus(amount);
  }

  /** Remembers that this much is not wanted for some time. */
  void refuse(Resources amount, Duration howLong, Instant now) {
    if (!howLong.isZero() && !howLong.isNegative()) {
      filters.add(new Filter(amount, now.plus(howLong)));
    }
  }

  void suppress() {
    suppressed = true;
  }

  void revive() {
    suppressed = false;
    filters.clear();
  }
}

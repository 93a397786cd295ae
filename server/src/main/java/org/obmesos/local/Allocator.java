// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Who has what of the one agent: tasks, outstanding offers, and what is left for the next offer. A
 * declined amount is not offered again until its filter has run out, unless more has become free
 * meanwhile or the framework revives. Used from one thread.
 */
final class Allocator {
  /** The least a Mesos master bothers to offer (MIN_CPUS, MIN_MEM in constants.hpp). */
  private static final double LEAST_CPUS = 0.01;

  private static final double LEAST_MEM = 32;

  private record Filter(Amount refused, Instant until) {}

  private final Amount capacity;
  private final Map<String, Amount> offers = new LinkedHashMap<>();
  private final List<Filter> filters = new ArrayList<>();
  private Amount used = Amount.NONE;
  private boolean suppressed;

  Allocator(Amount capacity) {
    this.capacity = capacity;
  }

  /** What is free, if it should be offered now. */
  Optional<Amount> offerable(Instant now) {
    filters.removeIf(filter -> !filter.until().isAfter(now));
    Amount free = free();
    boolean filtered = filters.stream().anyMatch(filter -> filter.refused().contains(free));
    return suppressed
            || filtered
            || (free.scalars().cpus() < LEAST_CPUS && free.scalars().memMiB() < LEAST_MEM)
        ? Optional.empty()
        : Optional.of(free);
  }

  /** After a restart with a smaller capacity more can be in use than there is. */
  private Amount free() {
    return capacity.minusAtMost(offers.values().stream().reduce(used, Amount::plus));
  }

  void offered(String offerId, Amount amount) {
    offers.put(offerId, amount);
  }

  boolean isOutstanding(String offerId) {
    return offers.containsKey(offerId);
  }

  /** Takes an offer back. */
  Amount withdraw(String offerId) {
    return offers.remove(offerId);
  }

  void withdrawAll() {
    offers.clear();
    filters.clear();
  }

  void use(Amount amount) {
    used = used.plus(amount);
  }

  void release(Amount amount) {
    used = used.minus(amount);
  }

  /** Remembers that this much is not wanted for some time. */
  void refuse(Amount amount, Duration howLong, Instant now) {
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

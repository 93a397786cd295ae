// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.obmesos.task.AvailableResources;

/**
 * Divides the resources of the one agent among tasks, outstanding offers and the next offer.
 * Declined resources are not offered again until their filter expires, unless more have become free
 * or the framework revives offers. Used on one thread.
 */
final class Allocator {
  /** The smallest resources a Mesos master offers (MIN_CPUS, MIN_MEM in its constants.hpp). */
  private static final double MIN_CPUS = 0.01;

  private static final double MIN_MEM = 32;

  private record Filter(AvailableResources refused, Instant until) {}

  private final AvailableResources capacity;
  private final Map<String, AvailableResources> offers = new LinkedHashMap<>();
  private final List<Filter> filters = new ArrayList<>();
  private AvailableResources used = AvailableResources.NONE;
  private boolean suppressed;

  Allocator(AvailableResources capacity) {
    this.capacity = capacity;
  }

  /** Returns the resources to offer now; empty if there is nothing to offer. */
  Optional<AvailableResources> offerable(Instant now) {
    filters.removeIf(filter -> !filter.until().isAfter(now));
    AvailableResources free = free();
    boolean filtered = filters.stream().anyMatch(filter -> filter.refused().contains(free));
    boolean small = free.scalars().cpus() < MIN_CPUS && free.scalars().memMiB() < MIN_MEM;
    return suppressed || filtered || small ? Optional.empty() : Optional.of(free);
  }

  /** After a restart with a smaller capacity more can be in use than there is. */
  private AvailableResources free() {
    return capacity.minusAtMost(offers.values().stream().reduce(used, AvailableResources::plus));
  }

  void offered(String offerId, AvailableResources resources) {
    offers.put(offerId, resources);
  }

  boolean isOutstanding(String offerId) {
    return offers.containsKey(offerId);
  }

  /** Ends an outstanding offer; returns its resources. */
  AvailableResources withdraw(String offerId) {
    return offers.remove(offerId);
  }

  void withdrawAll() {
    offers.clear();
    filters.clear();
  }

  void use(AvailableResources resources) {
    used = used.plus(resources);
  }

  void release(AvailableResources resources) {
    used = used.minus(resources);
  }

  /** Does not offer these resources for a time. */
  void refuse(AvailableResources resources, Duration duration, Instant now) {
    if (!duration.isZero() && !duration.isNegative()) {
      filters.add(new Filter(resources, now.plus(duration)));
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

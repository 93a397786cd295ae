// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;

/** A set of ports. Immutable. */
public final class Ports {
  private static final int MAX = 65535;

  /** The first port that Mesos agents offer by default. */
  private static final int FIRST_OFFERED = 31000;

  /** The empty set. */
  public static final Ports NONE = new Ports(new BitSet());

  /** A range, both ends included. */
  public record Range(int first, int last) {}

  private final BitSet ports;

  private Ports(BitSet ports) {
    this.ports = ports;
  }

  /**
   * Creates the set of the ports in ranges.
   *
   * @throws IllegalArgumentException if a range is empty or not within 0 to 65535
   */
  public static Ports of(List<Range> ranges) {
    BitSet ports = new BitSet();
    for (Range range : ranges) {
      if (range.first() < 0 || range.last() > MAX || range.first() > range.last()) {
        throw new IllegalArgumentException(range + " is not a range of ports");
      }
      ports.set(range.first(), range.last() + 1);
    }
    return new Ports(ports);
  }

  /** Returns the maximal ranges of this set, in order. */
  public List<Range> ranges() {
    List<Range> ranges = new ArrayList<>();
    int first = ports.nextSetBit(0);
    while (first >= 0) {
      int end = ports.nextClearBit(first);
      ranges.add(new Range(first, end - 1));
      first = ports.nextSetBit(end);
    }
    return ranges;
  }

  /** Returns the number of ports. */
  public int size() {
    return ports.cardinality();
  }

  /**
   * Picks ports at random, so that two frameworks seldom pick the same; from 31000 on, where Mesos
   * agents offer theirs, if there are enough.
   */
  public List<Integer> pick(int count) {
    if (count == 0) {
      return List.of();
    }
    List<Integer> usual =
        new ArrayList<>(ports.stream().filter(it -> it >= FIRST_OFFERED).boxed().toList());
    List<Integer> from =
        usual.size() >= count ? usual : new ArrayList<>(ports.stream().boxed().toList());
    Collections.shuffle(from);
    return List.copyOf(from.subList(0, count));
  }

  /** Creates the set of these numbers. */
  public static Ports ofNumbers(List<Integer> numbers) {
    return of(numbers.stream().map(number -> new Range(number, number)).toList());
  }

  /** Returns whether the set is empty. */
  public boolean isEmpty() {
    return ports.isEmpty();
  }

  /** Returns the union. */
  public Ports plus(Ports other) {
    if (other.isEmpty()) {
      return this;
    }
    BitSet all = (BitSet) ports.clone();
    all.or(other.ports);
    return new Ports(all);
  }

  /** Returns the difference. */
  public Ports minus(Ports other) {
    if (other.isEmpty()) {
      return this;
    }
    BitSet rest = (BitSet) ports.clone();
    rest.andNot(other.ports);
    return new Ports(rest);
  }

  /** Returns whether all of the others are in this set. */
  public boolean contains(Ports other) {
    return other.minus(this).isEmpty();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Ports that && ports.equals(that.ports);
  }

  @Override
  public int hashCode() {
    return ports.hashCode();
  }

  /** Formats the ranges as Mesos does: {@code [31000-31005, 31007-31007]}. */
  @Override
  public String toString() {
    return ranges().stream()
        .map(range -> range.first() + "-" + range.last())
        .collect(Collectors.joining(", ", "[", "]"));
  }
}

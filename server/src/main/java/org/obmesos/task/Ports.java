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

  /** Where the ports begin that Mesos' agents offer by default. */
  private static final int USUAL = 31000;

  /** No port at all. */
  public static final Ports NONE = new Ports(new BitSet());

  /** Those from one to another, both with. */
  public record Range(int first, int last) {}

  private final BitSet ports;

  private Ports(BitSet ports) {
    this.ports = ports;
  }

  /**
   * Those in the ranges.
   *
   * @throws IllegalArgumentException if one of them is none from 0 to 65535, or is empty
   */
  public static Ports of(List<Range> ranges) {
    BitSet ports = new BitSet();
    for (Range range : ranges) {
      if (range.first() < 0 || range.last() > MAX || range.first() > range.last()) {
        throw new IllegalArgumentException(range + " is no range of ports");
      }
      ports.set(range.first(), range.last() + 1);
    }
    return new Ports(ports);
  }

  /** The ranges that make up this set, in order, with gaps between them. */
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

  /** How many there are. */
  public int size() {
    return ports.cardinality();
  }

  /**
   * So many of them by chance, so that two that do not know of each other seldom take the same;
   * from where Mesos' agents have theirs, if there are enough.
   */
  public List<Integer> pick(int count) {
    List<Integer> usual =
        new ArrayList<>(ports.stream().filter(it -> it >= USUAL).boxed().toList());
    List<Integer> from =
        usual.size() >= count ? usual : new ArrayList<>(ports.stream().boxed().toList());
    Collections.shuffle(from);
    return List.copyOf(from.subList(0, count));
  }

  /** Those with these numbers. */
  public static Ports ofNumbers(List<Integer> numbers) {
    return of(numbers.stream().map(number -> new Range(number, number)).toList());
  }

  /** Whether there is none. */
  public boolean isEmpty() {
    return ports.isEmpty();
  }

  /** These and the others. */
  public Ports plus(Ports other) {
    BitSet all = (BitSet) ports.clone();
    all.or(other.ports);
    return new Ports(all);
  }

  /** These without the others. */
  public Ports minus(Ports other) {
    BitSet rest = (BitSet) ports.clone();
    rest.andNot(other.ports);
    return new Ports(rest);
  }

  /** Whether all of the others are among these. */
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

  /** As Mesos writes them: {@code [31000-31005, 31007-31007]}. */
  @Override
  public String toString() {
    return ranges().stream()
        .map(range -> range.first() + "-" + range.last())
        .collect(Collectors.joining(", ", "[", "]"));
  }
}

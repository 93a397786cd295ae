// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.math.BigDecimal;
import java.util.Locale;

/**
 * Scalar resources of an agent. As in Mesos, amounts are rounded to 0.001.
 *
 * @param cpus cores, at least 0
 * @param memMiB memory in MiB, at least 0
 * @param diskMiB disk in MiB, at least 0
 * @param gpus GPUs, a whole number, at least 0
 */
public record Resources(double cpus, double memMiB, double diskMiB, double gpus) {
  /** The largest amount of one resource. */
  public static final double MAX = 1e9;

  /** No resources. */
  public static final Resources NONE = new Resources(0, 0, 0, 0);

  /**
   * Rounds the amounts.
   *
   * @throws InvalidBlockException if an amount is negative, not a number or more than {@link #MAX}
   */
  public Resources {
    cpus = rounded("cpus", cpus);
    memMiB = rounded("mem", memMiB);
    diskMiB = rounded("disk", diskMiB);
    gpus = rounded("gpus", gpus);
    if (gpus != Math.rint(gpus)) {
      throw new InvalidBlockException("gpus", "a whole number");
    }
  }

  /** Creates resources without GPUs. */
  public Resources(double cpus, double memMiB, double diskMiB) {
    this(cpus, memMiB, diskMiB, 0);
  }

  private static double rounded(String name, double amount) {
    if (!(amount >= 0 && amount <= MAX)) {
      throw new InvalidBlockException(name, "a number from 0 to 1e9, not " + amount);
    }
    return Math.round(amount * 1000) / 1000.0;
  }

  /** Returns the sum. */
  public Resources plus(Resources other) {
    return new Resources(
        cpus + other.cpus, memMiB + other.memMiB, diskMiB + other.diskMiB, gpus + other.gpus);
  }

  /**
   * Returns the difference.
   *
   * @throws IllegalArgumentException if this does not {@link #contains contain} the other
   */
  public Resources minus(Resources other) {
    if (!contains(other)) {
      throw new IllegalArgumentException(this + " does not contain " + other);
    }
    return new Resources(
        Math.max(0, cpus - other.cpus),
        Math.max(0, memMiB - other.memMiB),
        Math.max(0, diskMiB - other.diskMiB),
        gpus - other.gpus);
  }

  /** Returns the difference, with 0 where the other has more. */
  public Resources minusAtMost(Resources other) {
    return new Resources(
        Math.max(0, cpus - other.cpus),
        Math.max(0, memMiB - other.memMiB),
        Math.max(0, diskMiB - other.diskMiB),
        Math.max(0, gpus - other.gpus));
  }

  /** Returns the larger of both amounts for each kind. */
  public Resources max(Resources other) {
    return new Resources(
        Math.max(cpus, other.cpus),
        Math.max(memMiB, other.memMiB),
        Math.max(diskMiB, other.diskMiB),
        Math.max(gpus, other.gpus));
  }

  /** Formats an amount without trailing zeros. */
  public static String format(double amount) {
    return BigDecimal.valueOf(amount).stripTrailingZeros().toPlainString();
  }

  /** Returns whether each amount is at least the other's. */
  public boolean contains(Resources other) {
    return thousandths(cpus) >= thousandths(other.cpus)
        && thousandths(memMiB) >= thousandths(other.memMiB)
        && thousandths(diskMiB) >= thousandths(other.diskMiB)
        && gpus >= other.gpus;
  }

  private static long thousandths(double amount) {
    return Math.round(amount * 1000);
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT, "cpus:%s mem:%s disk:%s gpus:%s", cpus, memMiB, diskMiB, gpus);
  }
}

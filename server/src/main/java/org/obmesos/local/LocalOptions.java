// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.obmesos.task.Ports;
import org.obmesos.task.Resources;

/**
 * What the embedded cluster is made of.
 *
 * @param workDirectory where it keeps sandboxes and what it must remember
 * @param capacity what its agent offers in all
 * @param sandboxAge how long the sandbox of an ended task is kept; Mesos' agents keep a week
 */
public record LocalOptions(Path workDirectory, Resources capacity, Duration sandboxAge) {
  /** The least number of cpus offered: they are accounted, not enforced. */
  public static final int LEAST_CPUS = 4;

  /** How long Mesos' agents keep a sandbox by default (agent flag --gc_delay). */
  public static final Duration DEFAULT_SANDBOX_AGE = Duration.ofDays(7);

  /** The ports Mesos' agents offer by default; here they are accounted too, not enforced. */
  static final Ports PORTS = Ports.of(List.of(new Ports.Range(31000, 32000)));

  private static final double MIB = 1024.0 * 1024.0;

  /** No component is null. */
  public LocalOptions {
    Objects.requireNonNull(workDirectory, "workDirectory");
    Objects.requireNonNull(capacity, "capacity");
    Objects.requireNonNull(sandboxAge, "sandboxAge");
  }

  /**
   * This machine's name as the kernel has it. Asking the network for it could wait, or fail where
   * nobody resolves the name.
   */
  static String hostname() throws IOException {
    Path kernel = Path.of("/proc/sys/kernel/hostname");
    return Files.isReadable(kernel) ? Files.readString(kernel).trim() : "localhost";
  }

  /** This machine: its memory, its disk, its cores but at least {@link #LEAST_CPUS}. */
  public static Resources machine(Path workDirectory) {
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return new Resources(
        Math.max(LEAST_CPUS, Runtime.getRuntime().availableProcessors()),
        Math.floor(system.getTotalMemorySize() / MIB),
        Math.floor(workDirectory.toFile().getUsableSpace() / MIB));
  }
}

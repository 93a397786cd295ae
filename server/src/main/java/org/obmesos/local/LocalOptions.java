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
import java.util.Optional;
import org.obmesos.task.Block;
import org.obmesos.task.Ports;
import org.obmesos.task.Resources;
import org.obmesos.task.Surroundings;

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

  /**
   * The ports Mesos' agents offer by default, and those below that a container can want to expose;
   * they are accounted, not enforced.
   */
  public static final Ports PORTS = Ports.of(List.of(new Ports.Range(1, 32000)));

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

  /** Why a block can never run on this machine, in words that follow "The task". */
  public static Optional<String> never(Block block) {
    Surroundings around = block.program().around();
    String mine = System.getProperty("user.name");
    if (around.container().isPresent() && Engine.find().isEmpty()) {
      return Optional.of(
          "wants a container, and there is neither podman nor docker here (Debian: apt-get install"
              + " podman)");
    }
    if (!around.user().isEmpty() && !around.user().equals(mine)) {
      return Optional.of("wants to run as " + around.user() + ", and here all runs as " + mine);
    }
    return Optional.empty();
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

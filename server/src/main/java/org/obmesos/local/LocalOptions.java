// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.obmesos.task.Block;
import org.obmesos.task.ExecutionEnvironment;
import org.obmesos.task.Ports;
import org.obmesos.task.Resources;

/**
 * The settings of the embedded cluster.
 *
 * @param workDirectory the directory of its sandboxes and checkpoints
 * @param capacity the resources of its agent
 * @param sandboxAge how long the sandbox of an ended task is kept
 * @param passedVariables the environment variables of this server that tasks get, besides PATH,
 *     HOME and the like
 */
public record LocalOptions(
    Path workDirectory, Resources capacity, Duration sandboxAge, Set<String> passedVariables) {
  /** The smallest number of cpus: they are accounted, not enforced. */
  public static final int MIN_CPUS = 4;

  /** A week, as Mesos agents keep sandboxes (agent flag --gc_delay). */
  public static final Duration DEFAULT_SANDBOX_AGE = Duration.ofDays(7);

  /**
   * The ports Mesos agents offer by default, and the lower ones, which containers can expose. They
   * are accounted, not enforced.
   */
  public static final Ports PORTS = Ports.of(List.of(new Ports.Range(1, 32000)));

  private static final double MIB = 1024.0 * 1024.0;

  /** Rejects null components. */
  public LocalOptions {
    Objects.requireNonNull(workDirectory, "workDirectory");
    Objects.requireNonNull(capacity, "capacity");
    Objects.requireNonNull(sandboxAge, "sandboxAge");
    passedVariables = Set.copyOf(passedVariables);
  }

  /**
   * Returns the kernel's name of this machine. InetAddress.getLocalHost could wait for a name
   * server.
   */
  static String hostname() throws IOException {
    Path kernel = Path.of("/proc/sys/kernel/hostname");
    return Files.isReadable(kernel)
        ? Files.readString(kernel, StandardCharsets.ISO_8859_1).trim()
        : "localhost";
  }

  /** Returns why a block can never run on this machine, as a clause that follows "The task". */
  public static Optional<String> rejectionReason(Block block) {
    ExecutionEnvironment environment = block.program().executionEnvironment();
    String mine = System.getProperty("user.name");
    if (environment.container().isPresent() && ContainerRuntime.find().isEmpty()) {
      return Optional.of(
          "wants a container, and there is neither podman nor docker here (Debian: apt-get install"
              + " podman)");
    }
    if (!environment.user().isEmpty() && !environment.user().equals(mine)) {
      return Optional.of(
          "wants to run as "
              + environment.user()
              + ", and the embedded cluster runs all tasks as "
              + mine);
    }
    return Optional.empty();
  }

  /** Returns the resources of this machine, with at least {@link #MIN_CPUS} cpus. */
  public static Resources machine(Path workDirectory) {
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return new Resources(
        Math.max(MIN_CPUS, Runtime.getRuntime().availableProcessors()),
        Math.floor(system.getTotalMemorySize() / MIB),
        Math.floor(workDirectory.toFile().getUsableSpace() / MIB));
  }
}

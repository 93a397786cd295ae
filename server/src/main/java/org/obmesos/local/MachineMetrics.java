// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.obmesos.sandbox.AgentMetrics;

/** Reads the metrics of this machine from /proc (proc(5)). */
final class MachineMetrics {
  private static final double KIB_IN_MIB = 1024.0;
  private static final double MIB = 1024.0 * 1024.0;
  private static final Path PROC = Path.of("/proc");

  private MachineMetrics() {}

  static AgentMetrics read(Path workDirectory) throws IOException {
    if (!Files.isReadable(PROC.resolve("loadavg"))) {
      return AgentMetrics.NONE;
    }
    // Files.getFileStore looks for the mount, which is not visible in a chroot.
    File disk = workDirectory.toFile();
    String memory = Files.readString(PROC.resolve("meminfo"));
    double received = 0;
    double sent = 0;
    for (String line : Files.readAllLines(PROC.resolve("net/dev"))) {
      String[] words = line.strip().split("[:\\s]+", -1);
      if (line.contains(":") && words.length > 9 && !words[0].equals("lo")) {
        received += Double.parseDouble(words[1]);
        sent += Double.parseDouble(words[9]);
      }
    }
    return new AgentMetrics(
        Double.valueOf(Files.readString(PROC.resolve("loadavg")).split(" ", 2)[0]),
        kibibytes(memory, "MemTotal"),
        kibibytes(memory, "MemAvailable"),
        disk.getTotalSpace() / MIB,
        (disk.getTotalSpace() - disk.getUsableSpace()) / MIB,
        received,
        sent);
  }

  private static Double kibibytes(String memory, String name) {
    Matcher line =
        Pattern.compile("^" + name + ":\\s+(\\d+) kB$", Pattern.MULTILINE).matcher(memory);
    return line.find() ? Double.valueOf(Double.parseDouble(line.group(1)) / KIB_IN_MIB) : null;
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.obmesos.rpc.ServerProcess;

/** The file system of the state directory is full when the server starts. */
final class FullDiskTest {
  /** Mounts a file system of 1 MiB in its own mount namespace, then executes a command. */
  private static final List<String> SMALL_DISK =
      List.of(
          "unshare",
          "--user",
          "--map-root-user",
          "--mount",
          "sh",
          "-c",
          "mount -t tmpfs -o size=1m tmpfs \"$0\" && exec \"$@\"");

  @TempDir private Path disk;

  private Process onSmallDisk(List<String> command) throws IOException {
    List<String> words = new ArrayList<>(SMALL_DISK);
    words.add(disk.toString());
    words.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(words);
    builder.environment().put("LC_ALL", "C.UTF-8");
    return builder.start();
  }

  @Test
  void aServerThatCannotStartNamesTheDirectoryAndTheCause() throws Exception {
    assumeTrue(onSmallDisk(List.of("true")).waitFor() == 0, "mount namespaces are not permitted");
    Process server =
        onSmallDisk(ServerProcess.command(List.of("--state-dir", disk.resolve("s").toString())));
    server.getOutputStream().close();
    assertThat(server.errorReader().readLine())
        .matches(
            "--state-dir: .*/s cannot be used: the disk is full: \\d+ KiB are free,"
                + " the server needs 2048 KiB");
    assertThat(server.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(server.exitValue()).isEqualTo(2);
  }
}

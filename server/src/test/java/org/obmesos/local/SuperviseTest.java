// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SuperviseTest {
  @TempDir private Path directory;

  /** A signal that is blocked stands for one that comes right before the wait. */
  @Test
  void aCommandsEndIsSeenEvenIfItsSignalIsMissed() throws Exception {
    Path script = directory.resolve("supervise.pl");
    try (InputStream source = Launcher.class.getResourceAsStream("supervise.pl")) {
      Files.copy(source, script);
    }
    Process supervisor =
        new ProcessBuilder(
                "perl",
                "-e",
                "use POSIX; sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGCHLD)); exec @ARGV",
                "perl",
                script.toString(),
                directory.toString())
            .redirectErrorStream(true)
            .start();
    try (OutputStream input = supervisor.getOutputStream()) {
      String fields =
          String.join(
              "\0",
              directory.toString(),
              "3",
              "0",
              "1",
              "A=b=ü",
              "/bin/sh",
              "-c",
              "sleep 0.2; echo $A; exit 7");
      input.write((fields + "\0").getBytes(StandardCharsets.UTF_8));
    }
    try {
      assertThat(supervisor.waitFor(20, TimeUnit.SECONDS)).isTrue();
      assertThat(directory.resolve("exit")).hasContent("status 7");
      assertThat(directory.resolve("stdout")).hasContent("b=ü");
    } finally {
      supervisor.destroyForcibly();
    }
  }
}

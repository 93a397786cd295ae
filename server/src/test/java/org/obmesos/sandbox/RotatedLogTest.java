// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.obmesos.task.TaskResult;

final class RotatedLogTest {
  /** An agent's, with what is in its files. */
  private record Remote(Map<String, String> files) implements Sandbox {
    private byte[] bytes(String path) {
      return files.getOrDefault(path, "").getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public long size(String path) {
      return bytes(path).length;
    }

    @Override
    public byte[] read(String path, long offset, int length) {
      byte[] all = bytes(path);
      // An agent gives at most so many bytes at a time; here they are few.
      int end = (int) Math.min(all.length, offset + Math.min(length, 3));
      return Arrays.copyOfRange(all, (int) Math.min(offset, end), end);
    }

    @Override
    public List<Entry> list(String path) {
      return List.of();
    }

    @Override
    public boolean isWrittenLate() {
      return true;
    }

    @Override
    public String location() {
      return "";
    }
  }

  private static final Map<String, String> ROTATED =
      Map.of(
          "stdout", "five\nsix\n",
          "stdout.1", "four\n",
          "stdout.2", "one\ntwo\nthree\n",
          "stdout.logrotate.conf", "size 4096",
          "stderr", "late\n",
          "stderr.1", "early\n",
          "stderr.logrotate.conf", "size 4096");

  @Test
  void theProcessesThatACommandExecutorHasKilledAreNoErrorsOfTheTask() throws Exception {
    String log = "I1130 20:03:41.354219  9343 executor.cpp:969] ";
    String text =
        "first\n"
            + log
            + "Sent SIGTERM to the following process trees:\n[ \n-+- 9351 sh .block \n"
            + " \\--- 9354 sleep 15 \n]\n"
            + log
            + "Scheduling escalation to SIGKILL in 3secs from now\n[last]\n";
    assertThat(Outputs.result(new Remote(Map.of("stderr", text)), 100).stderrTail())
        .isEqualTo("first\n[last]");
  }

  @Test
  void aLogThatWasRotatedIsOneTextAgain() throws Exception {
    TaskResult result = Outputs.result(new Remote(ROTATED), 1000);
    assertThat(result.stdout()).isEqualTo("one\ntwo\nthree\nfour\nfive\nsix\n");
    assertThat(result.truncated()).isFalse();
    assertThat(result.stderrTail()).isEqualTo("early\nlate");
  }

  @Test
  void aResultIsCutWhereTheLimitIsWhicheverFileThatIsIn() throws Exception {
    TaskResult result = Outputs.result(new Remote(ROTATED), 17);
    assertThat(result.stdout()).isEqualTo("one\ntwo\nthree\nfou");
    assertThat(result.truncated()).isTrue();
    assertThat(result.stdoutBytes()).isEqualTo(28);
  }

  @Test
  void aFileOfTheTasksOwnIsNoPartOfItsLog() throws Exception {
    Remote own = new Remote(Map.of("stdout", "mine\n", "stdout.1", "kept apart\n"));
    assertThat(Outputs.result(own, 1000).stdout()).isEqualTo("mine\n");
  }
}

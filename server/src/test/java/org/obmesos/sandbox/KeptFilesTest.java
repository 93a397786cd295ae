// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.obmesos.task.KeptFile;
import org.obmesos.task.Reuse;

/** Which copies of files of results are deleted. */
final class KeptFilesTest {
  @TempDir private Path directory;

  /** Tasks can be deleted at any time, several times while the files of another are copied. */
  @Test
  void filesOfAResultThatIsNotStoredYetStay() throws Exception {
    KeptFiles kept = new KeptFiles(directory);
    Sandbox sandbox =
        new Sandbox() {
          @Override
          public long size(String path) {
            return 1;
          }

          @Override
          public byte[] read(String path, long offset, int length) {
            if (path.equals("b")) {
              kept.retain(Set.of());
              kept.retain(Set.of());
            }
            return offset == 0 ? path.getBytes(StandardCharsets.UTF_8) : new byte[0];
          }

          @Override
          public List<Entry> list(String path) {
            return List.of(
                new Entry("a", 1, Instant.EPOCH, false), new Entry("b", 1, Instant.EPOCH, false));
          }

          @Override
          public String location() {
            return "";
          }
        };
    Reuse reuse =
        new Reuse(Reuse.Mode.NO, List.of("a", "b"), List.of(), List.of(), Set.of(), Map.of());
    Map<String, KeptFile> files = kept.keep(sandbox, reuse).orElseThrow();
    assertThat(files).containsOnlyKeys("a", "b");
    assertThat(files.values())
        .allSatisfy(it -> assertThat(directory.resolve(it.digest())).exists());
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * The elisp table and the table of README.org are generated from {@link HeaderArgumentTable}. With
 * {@code -Dob-mesos.generate=true} this test writes them.
 */
final class HeaderArgumentTableTest {
  private static final Path LISP = Path.of("../elisp/ob-mesos-arguments.el");
  private static final Path README = Path.of("../README.org");
  private static final String README_BEGIN = "# Generated: the header arguments\n";
  private static final String README_END = "# End of the header arguments\n";

  /** Replaces what stands between two lines. */
  private static String replace(String text, String begin, String end, String content) {
    int from = text.indexOf(begin) + begin.length();
    int to = text.indexOf(end, from);
    assertThat(text.indexOf(begin)).isNotNegative();
    assertThat(to).isNotNegative();
    return text.substring(0, from) + content + text.substring(to);
  }

  private static void check(Path file, String expected) throws IOException {
    if (Boolean.getBoolean("ob-mesos.generate")) {
      Files.writeString(file, expected);
    }
    assertThat(file).hasContent(expected);
  }

  @Test
  void theElispTableIsGenerated() throws IOException {
    check(
        LISP,
        replace(
            Files.readString(LISP),
            "(defconst ob-mesos--arguments\n  '(",
            ")\n  \"",
            HeaderArgumentTable.toLisp()));
  }

  @Test
  void theTableOfTheReadmeIsGenerated() throws IOException {
    check(
        README,
        replace(Files.readString(README), README_BEGIN, README_END, HeaderArgumentTable.toOrg()));
  }

  @Test
  void noNameIsUsedTwiceAndEachFieldIsOneOfABlock() {
    Set<String> names = new HashSet<>();
    Set<String> fields = new HashSet<>();
    for (var component : Messages.BlockItem.class.getRecordComponents()) {
      fields.add(component.getName());
    }
    for (HeaderArgumentTable.Row row : HeaderArgumentTable.all()) {
      assertThat(names.add(row.name())).as(row.name()).isTrue();
      row.synonyms().forEach(name -> assertThat(names.add(name)).as(name).isTrue());
      row.field().stream().limit(1).forEach(field -> assertThat(fields).contains(field));
    }
  }
}

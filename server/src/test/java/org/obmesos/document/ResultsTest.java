// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.document;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

final class ResultsTest {
  private static final String TWO =
      """
      #+name: a
      #+begin_src sh
      one
      #+end_src

      between

        #+begin_src sh
        two
        #+end_src
      after
      """;

  private static String put(String text, String result) {
    return Results.put(OrgDocument.read(text), block -> Optional.of(result));
  }

  @Test
  void resultsStandBelowTheirBlocksAsOrgPutsThem() {
    assertThat(put(TWO, "x\n\ny\n"))
        .isEqualTo(
            """
            #+name: a
            #+begin_src sh
            one
            #+end_src

            #+RESULTS: a
            : x
            :
            : y

            between

              #+begin_src sh
              two
              #+end_src

              #+RESULTS:
              : x
              :
              : y
            after
            """);
  }

  @Test
  void anEarlierResultIsReplacedWhereItStands() {
    String text =
        """
        #+begin_src sh
        #+end_src

        #+RESULTS[abc]:
        #+begin_example
        old
        #+end_example
        text
        #+name: b
        #+begin_src sh
        #+end_src
        text
        #+RESULTS: b
        | old | table |
        text
        """;
    assertThat(put(text, "new"))
        .isEqualTo(
            """
            #+begin_src sh
            #+end_src

            #+RESULTS:
            : new
            text
            #+name: b
            #+begin_src sh
            #+end_src
            text
            #+RESULTS: b
            : new
            text
            """);
  }

  @Test
  void aBlockOfWhichNothingIsKnownIsLeftAlone() {
    assertThat(Results.put(OrgDocument.read(TWO), block -> Optional.empty())).isEqualTo(TWO);
  }

  @Provide
  Arbitrary<String> outputs() {
    return Arbitraries.of(
            "* heading",
            "#+end_example",
            "#+END_SRC",
            "#+begin_src sh",
            ":END:",
            "",
            "  ,* x",
            "| a |",
            ": b",
            "#+RESULTS: a",
            "plain",
            "#+name: a")
        .list()
        .ofMaxSize(15)
        .map(lines -> String.join("\n", lines));
  }

  @Property(tries = 300)
  void nothingInAResultEndsIt(@ForAll("outputs") String first, @ForAll("outputs") String second) {
    List<String> bodies = OrgDocument.read(TWO).blocks().stream().map(SourceBlock::body).toList();
    String once = put(TWO, first);
    assertThat(OrgDocument.read(once).blocks())
        .extracting(SourceBlock::body)
        .containsExactlyElementsOf(bodies);
    // So another result finds all of the first, and nothing is left of it.
    assertThat(put(once, second)).isEqualTo(put(TWO, second));
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.document;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

final class HtmlViewTest {
  private static final Pattern TAG =
      Pattern.compile(
          "<(?:!DOCTYPE html|meta charset=\"utf-8\"|link rel=\"stylesheet\" href=\"/page.css\""
              + "|a rel=\"noreferrer\" href=\"(?:https?://|mailto:)[^\"<>]*\""
              + "|pre class=\"(?:src|example)\"|/?(?:html|head|body|title|main|h[1-6]|p|pre|ul|ol"
              + "|li|table|tr|td|blockquote|hr|a|b|i|u|del|code))>");

  private static String of(String text) {
    return HtmlView.of(OrgDocument.read(text));
  }

  @Test
  void theDocumentCanBeRead() {
    String page =
        of(
            """
            #+TITLE: A title
            * Heading with *bold*
            :PROPERTIES:
            :ID: hidden
            :END:
            Text with =code= and [[https://localhost/x?a=1&b=2][a link]].
            - item
            1. first
            | a | b |
            |---+---|
            | 1 | 2 |
            #+begin_quote
            quoted
            #+end_quote
            #+begin_src sh
            ,* echo <hi>
            #+end_src
            #+RESULTS:
            : out
            """);
    assertThat(page)
        .contains("<title>A title</title>", "<h1>A title</h1>", "<h2>Heading with <b>bold</b></h2>")
        .contains(
            "<code>code</code>", "<a rel=\"noreferrer\" href=\"https://localhost/x?a=1&amp;b=2\"")
        .contains("<ul>\n<li>item", "<ol>\n<li>first", "<tr><td>1</td><td>2</td></tr>")
        .contains("<blockquote>\n<p>\nquoted", "* echo &lt;hi&gt;", "<pre>\nout\n</pre>")
        .doesNotContain("hidden", "RESULTS");
  }

  @Test
  void noLinkIsCode() {
    assertThat(of("[[javascript:alert(1)][x]] [[https://a\" onclick=\"b][x]] [[elisp:(f)]]"))
        .doesNotContain("<a ");
  }

  @Provide
  Arbitrary<String> texts() {
    return Arbitraries.of(
            "<script>alert(1)</script>",
            "* <b>",
            "| <td> |",
            ": <x>",
            "#+title: </title><script>",
            "#+begin_src html",
            "#+end_src",
            "#+begin_export html",
            "#+end_export",
            "<i>*a*</i>",
            "[[https://x/<y>][<z>]]",
            "=<=",
            "*/=_+x+_=/*",
            "- <li>",
            "#+begin_quote",
            "#+end_quote",
            ":RESULTS:",
            ":END:",
            "'\"&")
        .list()
        .ofMaxSize(12)
        .map(lines -> String.join("\n", lines) + "\n#+end_src\n");
  }

  @Property(tries = 500)
  void nothingThatIsWrittenIsATag(@ForAll("texts") String text) {
    String page = of(text);
    assertThat(TAG.matcher(page).replaceAll("")).doesNotContain("<", ">");
  }
}

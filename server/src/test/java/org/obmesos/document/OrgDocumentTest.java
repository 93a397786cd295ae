// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

final class OrgDocumentTest {
  private static SourceBlock only(String text) {
    List<SourceBlock> blocks = OrgDocument.read(text).blocks();
    assertThat(blocks).hasSize(1);
    return blocks.get(0);
  }

  @Test
  void aBlockHasItsNameItsLanguageAndItsArguments() {
    SourceBlock block =
        only(
            """
            #+TITLE: Redis
            #+name: redis-server
            #+headers: :dockerize t :image redis :expose 6379:6379 :mem 1024
            #+BEGIN_SRC sh :mem 5 :cpus 1
            redis-server
            #+END_SRC
            """);
    assertThat(block.name()).isEqualTo("redis-server");
    assertThat(block.language()).isEqualTo("sh");
    assertThat(block.body()).isEqualTo("redis-server");
    assertThat(block.lineNumber()).isEqualTo(4);
    // As in Org, what stands above the block goes before what stands in its first line.
    assertThat(block.argument("mem", "")).isEqualTo("1024");
    assertThat(block.argument("cpus", "")).isEqualTo("1");
    assertThat(block.argument("expose", "")).isEqualTo("6379:6379");
    assertThat(block.argument("image", "")).isEqualTo("redis");
  }

  @Test
  void whatStandsAboveOneBlockIsNotAnothers() {
    OrgDocument document =
        OrgDocument.read(
            """
            #+name: lost
            #+header: :cpus 2

            #+begin_src sh
            true
            #+end_src
            #+name: second
            #+begin_src sh
            #+end_src
            """);
    assertThat(document.blocks()).extracting(SourceBlock::name).containsExactly("", "second");
    assertThat(document.blocks().get(0).arguments()).isEmpty();
  }

  @Test
  void propertiesHoldForTheFileForALanguageAndForASection() {
    OrgDocument document =
        OrgDocument.read(
            """
            * One
            :PROPERTIES:
            :header-args: :mem 2
            :header-args:python: :mem 3
            :END:
            #+begin_src sh
            #+end_src
            ** Below
            #+begin_src python
            #+end_src
            * Two
            #+begin_src sh
            #+end_src
            #+PROPERTY: header-args :cpus 9 :mem 1
            """);
    assertThat(document.blocks())
        .extracting(block -> block.argument("cpus", "") + " " + block.argument("mem", ""))
        .containsExactly("9 2", "9 3", "9 1");
  }

  @Test
  void bodiesComeWithoutCommasAndIndentation() {
    assertThat(
            only("""
                    - item
                      #+begin_src sh
                        ,#+begin_src
                          ,,* two

                        , none
                      #+end_src
                    """)
                .body())
        .isEqualTo("#+begin_src\n  ,* two\n\n, none");
    assertThat(only("#+begin_src sh -i :mem 1\n  kept\n#+end_src\n").body()).isEqualTo("  kept");
  }

  @Test
  void whatIsShownIsNoBlock() {
    assertThat(
            OrgDocument.read(
                    """
                    #+begin_example
                    #+begin_src sh
                    rm -rf /
                    #+end_src
                    #+end_example
                    : #+begin_src sh
                    # #+begin_src sh
                    #+begin_quote
                    #+begin_src sh
                    true
                    #+end_src
                    #+end_quote
                    """)
                .blocks())
        .extracting(SourceBlock::body)
        .containsExactly("true");
  }

  @Test
  void aBlockWithoutAnEndIsRefusedWithItsLine() {
    assertThatThrownBy(() -> OrgDocument.read("text\n#+begin_src sh\ntrue\n"))
        .isInstanceOf(InvalidDocumentException.class)
        .hasMessage("line 2: #+begin_src without #+end_src");
  }

  @Test
  void argumentsBeginAtAColonAfterABlankOutsideOfQuotesAndBrackets() {
    assertThat(HeaderArgument.parse(":a b c :D \"x :y\" :e (f :g h) :i :j a:b"))
        .extracting(argument -> argument.name() + "=" + argument.value())
        .containsExactly("a=b c", "d=\"x :y\"", "e=(f :g h)", "i=", "j=a:b");
    assertThat(new HeaderArgument("env", "A=1 \"B=two words\" C=\"x y\"z").words())
        .containsExactly("A=1", "B=two words", "C=x yz");
    assertThat(new HeaderArgument("x", "\"a \\\"b\\\"\"").text()).isEqualTo("a \"b\"");
  }

  @Test
  void keywordsAreFoundWhateverTheirCase() {
    OrgDocument document =
        OrgDocument.read("#+MESOS_MASTER: h:5050\n#+borges_port:  8888\n#+title: T\n");
    assertThat(document.keyword("mesos_master")).contains("h:5050");
    assertThat(document.keyword("BORGES_PORT")).contains("8888");
    assertThat(document.keyword("borges_bind")).isEmpty();
    assertThat(document.title()).isEqualTo("T");
  }
}

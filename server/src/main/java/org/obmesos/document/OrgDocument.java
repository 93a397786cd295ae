// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.document;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A parsed document.
 *
 * @param lines all of its lines
 * @param keywords the first value of each {@code #+KEYWORD:}, by its name in lower case
 * @param blocks the source blocks, in order
 */
public record OrgDocument(
    List<String> lines, Map<String, String> keywords, List<SourceBlock> blocks) {

  /** Copies the components. */
  public OrgDocument {
    lines = List.copyOf(lines);
    keywords = Map.copyOf(keywords);
    blocks = List.copyOf(blocks);
  }

  /**
   * Parses a document.
   *
   * @throws InvalidDocumentException if a source block has no end
   */
  public static OrgDocument read(String text) {
    return new Reader(text.lines().toList()).read();
  }

  /** Returns the value of a keyword; the case of its name does not matter. */
  public Optional<String> keyword(String name) {
    return Optional.ofNullable(keywords.get(name.toLowerCase(Locale.ROOT)));
  }

  /** Returns the {@code #+TITLE:}, or an empty string. */
  public String title() {
    return keyword("title").orElse("");
  }
}

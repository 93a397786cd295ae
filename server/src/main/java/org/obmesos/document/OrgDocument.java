// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.document;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A document that was read.
 *
 * @param lines all of it
 * @param keywords the first value of each {@code #+KEYWORD:} line, the names in small letters
 * @param blocks its source blocks, in order
 */
public record OrgDocument(
    List<String> lines, Map<String, String> keywords, List<SourceBlock> blocks) {

  /** Copies what it is given. */
  public OrgDocument {
    lines = List.copyOf(lines);
    keywords = Map.copyOf(keywords);
    blocks = List.copyOf(blocks);
  }

  /**
   * Reads a document.
   *
   * @throws InvalidDocumentException if a source block has no end
   */
  public static OrgDocument read(String text) {
    return new Reader(text.lines().toList()).read();
  }

  /** The value of a keyword, whatever the case of its letters. */
  public Optional<String> keyword(String name) {
    return Optional.ofNullable(keywords.get(name.toLowerCase(Locale.ROOT)));
  }

  /** Its {@code #+TITLE:}, or empty. */
  public String title() {
    return keyword("title").orElse("");
  }
}

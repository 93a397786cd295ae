// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.document;

import java.util.List;

/**
 * A source block of a document.
 *
 * @param name by {@code #+name:}, or empty
 * @param language the word after {@code #+begin_src}, or empty
 * @param arguments all that hold for it, the nearest last
 * @param body without what Org puts before lines to hide them (commas, indentation)
 * @param begin the index of the line with {@code #+begin_src}, from 0
 * @param end that of the line with {@code #+end_src}
 * @param indentation the blanks before {@code #+begin_src}
 */
public record SourceBlock(
    String name,
    String language,
    List<HeaderArgument> arguments,
    String body,
    int begin,
    int end,
    String indentation) {

  /** Copies the list. */
  public SourceBlock {
    arguments = List.copyOf(arguments);
  }

  /** The value of the nearest argument with that name, without its quotes; or the other one. */
  public String argument(String argument, String otherwise) {
    String value = otherwise;
    for (HeaderArgument each : arguments) {
      if (each.name().equals(argument)) {
        value = each.text();
      }
    }
    return value;
  }

  /** The line where it begins, from 1, as editors count. */
  public int lineNumber() {
    return begin + 1;
  }
}

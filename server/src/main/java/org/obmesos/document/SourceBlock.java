// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.document;

import java.util.List;

/**
 * A source block of a document.
 *
 * @param name its {@code #+name:}, or empty
 * @param language the word after {@code #+begin_src}, or empty
 * @param arguments its header arguments, those with the highest precedence last
 * @param body the body without escaping commas and common indentation
 * @param begin the index of the line with {@code #+begin_src}, from 0
 * @param end the index of the line with {@code #+end_src}
 * @param indentation the white space before {@code #+begin_src}
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

  /** Returns the value of an argument without quotes, or a default. */
  public String argument(String argument, String otherwise) {
    String value = otherwise;
    for (HeaderArgument each : arguments) {
      if (each.name().equals(argument)) {
        value = each.text();
      }
    }
    return value;
  }

  /** Returns the line of {@code #+begin_src}, from 1. */
  public int lineNumber() {
    return begin + 1;
  }
}

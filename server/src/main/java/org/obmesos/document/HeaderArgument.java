// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.document;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A header argument.
 *
 * @param name the name without its colon, in lower case
 * @param value the value as it is written
 */
public record HeaderArgument(String name, String value) {

  /**
   * Parses a text such as {@code :cpus 2 :image "a :b"}. As in Org, an argument begins at a colon
   * after white space that is neither in quotes nor in brackets.
   */
  public static List<HeaderArgument> parse(String text) {
    List<HeaderArgument> arguments = new ArrayList<>();
    for (String part : split(text)) {
      String[] words = part.strip().split("\\s+", 2);
      if (words[0].length() > 1 && words[0].startsWith(":")) {
        arguments.add(
            new HeaderArgument(
                words[0].substring(1).toLowerCase(Locale.ROOT),
                words.length > 1 ? words[1].strip() : ""));
      }
    }
    return arguments;
  }

  private static List<String> split(String text) {
    List<String> parts = new ArrayList<>();
    int depth = 0;
    boolean quoted = false;
    int start = 0;
    for (int at = 0; at < text.length(); at++) {
      char here = text.charAt(at);
      boolean begins = at == 0 || Character.isWhitespace(text.charAt(at - 1));
      if (here == '"' && (at == 0 || text.charAt(at - 1) != '\\')) {
        quoted = !quoted;
      } else if (!quoted && "([{".indexOf(here) >= 0) {
        depth++;
      } else if (!quoted && ")]}".indexOf(here) >= 0) {
        depth = Math.max(0, depth - 1);
      } else if (!quoted && depth == 0 && here == ':' && begins) {
        parts.add(text.substring(start, at));
        start = at;
      }
    }
    parts.add(text.substring(start));
    return parts;
  }

  /** Returns the value without the quotes around it. */
  public String text() {
    boolean quoted = value.length() > 1 && value.startsWith("\"") && value.endsWith("\"");
    return quoted ? unquoted(value) : value;
  }

  private static String unquoted(String word) {
    StringBuilder text = new StringBuilder();
    for (int at = 1; at < word.length() - 1; at++) {
      if (word.charAt(at) == '\\' && at + 1 < word.length() - 1) {
        at++;
      }
      text.append(word.charAt(at));
    }
    return text.toString();
  }

  /** Returns whether Org would evaluate the value as Lisp. */
  public boolean isLisp() {
    return !value.isEmpty() && "('`[".indexOf(value.charAt(0)) >= 0;
  }

  /** Returns the words of the value; a quoted part can contain white space. */
  public List<String> words() {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    boolean inWord = false;
    int at = 0;
    while (at < value.length()) {
      char here = value.charAt(at);
      int end = here == '"' ? closingQuote(at) : -1;
      if (end > 0) {
        word.append(unquoted(value.substring(at, end + 1)));
        inWord = true;
        at = end + 1;
      } else if (Character.isWhitespace(here)) {
        if (inWord) {
          words.add(word.toString());
          word.setLength(0);
          inWord = false;
        }
        at++;
      } else {
        word.append(here);
        inWord = true;
        at++;
      }
    }
    if (inWord) {
      words.add(word.toString());
    }
    return words;
  }

  /** Returns the index of the quote that ends a quoted part, or -1 if there is none. */
  private int closingQuote(int begin) {
    for (int at = begin + 1; at < value.length(); at++) {
      char here = value.charAt(at);
      if (here == '"') {
        return at;
      }
      if (here == '\\') {
        at++;
      }
    }
    return -1;
  }
}

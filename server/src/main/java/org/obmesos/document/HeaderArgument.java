// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.document;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * One header argument.
 *
 * @param name without its colon, in small letters
 * @param value as it is written
 */
public record HeaderArgument(String name, String value) {

  /**
   * Those in a text such as {@code :cpus 2 :image "a :b"}. As in Org, one begins at a colon after a
   * blank that is neither within quotes nor within brackets.
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

  /** The value without the quotes around all of it. */
  public String text() {
    boolean quoted = value.length() > 1 && value.startsWith("\"") && value.endsWith("\"");
    return quoted ? unquoted(value) : value;
  }

  private static String unquoted(String word) {
    return word.substring(1, word.length() - 1).replaceAll("\\\\(.)", "$1");
  }

  /** Whether Org would evaluate the value as Lisp, which nothing does here. */
  public boolean isLisp() {
    return !value.isEmpty() && "('`[".indexOf(value.charAt(0)) >= 0;
  }

  /** The words of the value; one in quotes can have blanks. */
  public List<String> words() {
    List<String> words = new ArrayList<>();
    var matcher = Pattern.compile("\"(?:[^\"\\\\]|\\\\.)*\"|[^\\s\"]+|\"").matcher(value);
    int end = -1;
    while (matcher.find()) {
      String word = matcher.group();
      String plain = word.length() > 1 && word.startsWith("\"") ? unquoted(word) : word;
      if (matcher.start() == end) {
        words.set(words.size() - 1, words.get(words.size() - 1) + plain);
      } else {
        words.add(plain);
      }
      end = matcher.end();
    }
    return words;
  }
}

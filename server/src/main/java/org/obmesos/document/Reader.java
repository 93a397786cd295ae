// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.document;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Parses a document line by line, by Org's syntax (orgmode.org/worg/org-syntax.html). */
final class Reader {
  static final Pattern KEYWORD =
      Pattern.compile("^\\s*#\\+([^\\s:\\[]+)(?:\\[[^]]*])?:\\s*(.*?)\\s*$");
  static final Pattern BEGIN =
      Pattern.compile("^(\\s*)#\\+begin_(\\S+)(?:\\s+(.*?))?\\s*$", Pattern.CASE_INSENSITIVE);
  static final Pattern HEADING = Pattern.compile("^(\\*+)\\s+(.*?)\\s*$");
  private static final Pattern PROPERTY =
      Pattern.compile(
          "^\\s*:header-args(?::(\\S+?))?\\+?:\\s+(.*?)\\s*$", Pattern.CASE_INSENSITIVE);
  private static final Pattern FILE_PROPERTY =
      Pattern.compile("^header-args(?::(\\S+?))?\\+?\\s+(.*)$", Pattern.CASE_INSENSITIVE);
  private static final Pattern ESCAPED = Pattern.compile("^([ \\t]*,*),(?=\\*|#\\+)");

  /** TestThe kinds of blocks whose content is not parsed. */
  private static final List<String> VERBATIM = List.of("src", "example", "export", "comment");

  /** The header arguments of a file (level 0) or of a section. */
  private record Scope(int level, String language, List<HeaderArgument> arguments) {}

  private final List<String> lines;
  private final Map<String, String> keywords = new HashMap<>();
  private final List<SourceBlock> blocks = new ArrayList<>();
  private final Deque<Scope> scopes = new ArrayDeque<>();
  private final List<HeaderArgument> above = new ArrayList<>();
  private String name = "";
  private int level;

  Reader(List<String> lines) {
    this.lines = lines;
  }

  OrgDocument read() {
    // Properties of the file apply to all of it.
    lines.forEach(this::readFileProperty);
    for (int at = 0; at < lines.size(); at++) {
      Matcher begin = BEGIN.matcher(lines.get(at));
      Matcher keyword = KEYWORD.matcher(lines.get(at));
      Matcher heading = HEADING.matcher(lines.get(at));
      if (begin.matches()) {
        at = readBlock(at, begin);
      } else if (keyword.matches()) {
        readKeyword(keyword.group(1).toLowerCase(Locale.ROOT), keyword.group(2));
      } else if (heading.matches()) {
        level = heading.group(1).length();
        scopes.removeIf(scope -> scope.level() >= level);
        reset();
      } else {
        readProperty(lines.get(at));
        reset();
      }
    }
    return new OrgDocument(lines, keywords, blocks);
  }

  private void readFileProperty(String line) {
    Matcher keyword = KEYWORD.matcher(line);
    if (keyword.matches() && keyword.group(1).equalsIgnoreCase("property")) {
      Matcher property = FILE_PROPERTY.matcher(keyword.group(2));
      if (property.matches()) {
        add(0, property);
      }
    }
  }

  private void readProperty(String line) {
    Matcher property = PROPERTY.matcher(line);
    if (property.matches()) {
      add(level, property);
    }
  }

  private void add(int holds, Matcher property) {
    String language = property.group(1) == null ? "" : property.group(1);
    scopes.add(new Scope(holds, language, HeaderArgument.parse(property.group(2))));
  }

  private void readKeyword(String key, String value) {
    switch (key) {
      case "name", "tblname" -> name = value;
      case "header", "headers" -> above.addAll(HeaderArgument.parse(value));
      default -> keywords.putIfAbsent(key, value);
    }
  }

  /** Keywords apply to the next element only. */
  private void reset() {
    name = "";
    above.clear();
  }

  /** Parses a block; returns the index of its last line. */
  private int readBlock(int at, Matcher begin) {
    String kind = begin.group(2).toLowerCase(Locale.ROOT);
    int end = VERBATIM.contains(kind) ? endOf(lines, at, kind) : at;
    if (kind.equals("src")) {
      if (end < 0) {
        throw new InvalidDocumentException(at + 1, "#+begin_src without #+end_src");
      }
      blocks.add(source(at, end, begin.group(1), begin.group(3) == null ? "" : begin.group(3)));
    }
    reset();
    return Math.max(at, end);
  }

  /** Returns the index of the last line of a block, or -1 if it has none. */
  static int endOf(List<String> lines, int begin, String kind) {
    for (int at = begin + 1; at < lines.size(); at++) {
      if (lines.get(at).strip().equalsIgnoreCase("#+end_" + kind)) {
        return at;
      }
    }
    return -1;
  }

  private SourceBlock source(int begin, int end, String indentation, String rest) {
    String[] words = rest.split("\\s+", 2);
    boolean named = !words[0].startsWith(":") && !words[0].startsWith("-");
    String language = named ? words[0] : "";
    String line = named ? (words.length > 1 ? words[1] : "") : rest;
    // In Org, #+header: takes precedence over #+begin_src.
    List<HeaderArgument> arguments =
        Stream.of(
                scopes.stream()
                    .filter(scope -> scope.language().isEmpty())
                    .flatMap(scope -> scope.arguments().stream()),
                scopes.stream()
                    .filter(scope -> scope.language().equalsIgnoreCase(language))
                    .filter(scope -> !scope.language().isEmpty())
                    .flatMap(scope -> scope.arguments().stream()),
                HeaderArgument.parse(line).stream(),
                above.stream())
            .flatMap(each -> each)
            .toList();
    String switches = (" " + line).split("\\s:", 2)[0] + " ";
    return new SourceBlock(
        name,
        language,
        arguments,
        body(lines.subList(begin + 1, end), switches.contains(" -i ")),
        begin,
        end,
        indentation);
  }

  private static String body(List<String> raw, boolean kept) {
    int common =
        kept
            ? 0
            : raw.stream()
                .filter(line -> !line.isBlank())
                .mapToInt(line -> line.length() - line.stripLeading().length())
                .min()
                .orElse(0);
    return raw.stream()
        .map(line -> line.isBlank() ? "" : line.substring(common))
        .map(Reader::unescaped)
        .collect(Collectors.joining("\n"));
  }

  /** Removes the comma that escapes a line of a block. */
  static String unescaped(String line) {
    return ESCAPED.matcher(line).replaceFirst("$1");
  }
}

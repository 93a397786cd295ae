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

/**
 * Reads a document line by line, as Org's syntax has it (orgmode.org/worg/org-syntax.html): what is
 * within a block that shows text is text.
 */
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
  private static final Pattern HIDDEN = Pattern.compile("^([ \\t]*,*),(?=\\*|#\\+)");

  /** Blocks whose content is text, whatever it looks like. */
  private static final List<String> VERBATIM = List.of("src", "example", "export", "comment");

  /** Header arguments that hold from somewhere on: of a file, or of a heading's section. */
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
    // Those of the file hold for all of it, wherever they stand.
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
        leave();
      } else {
        readProperty(lines.get(at));
        leave();
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

  /** What stands above the next element stands above no other. */
  private void leave() {
    name = "";
    above.clear();
  }

  /** Reads a block and returns the index of its last line that needs no further look. */
  private int readBlock(int at, Matcher begin) {
    String kind = begin.group(2).toLowerCase(Locale.ROOT);
    int end = VERBATIM.contains(kind) ? endOf(lines, at, kind) : at;
    if (kind.equals("src")) {
      if (end < 0) {
        throw new InvalidDocumentException(at + 1, "#+begin_src without #+end_src");
      }
      blocks.add(source(at, end, begin.group(1), begin.group(3) == null ? "" : begin.group(3)));
    }
    leave();
    return Math.max(at, end);
  }

  /** The index of the line that ends a block of a kind, or -1. */
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
    // As Org has it, what #+header: says goes before what #+begin_src does.
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

  /** A line of a block without the comma that hides from Org what it looks like. */
  static String unescaped(String line) {
    return HIDDEN.matcher(line).replaceFirst("$1");
  }
}

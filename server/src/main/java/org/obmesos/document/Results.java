// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.document;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Inserts results into a document, below their blocks or instead of earlier ones, as Org inserts
 * text ({@code :results output}). The text is escaped, so it cannot end the result it is in.
 */
public final class Results {
  /** Org's {@code org-babel-min-lines-for-block-output}. */
  private static final int LINES_FOR_A_BLOCK = 10;

  private static final Pattern KEYWORD =
      Pattern.compile("^\\s*#\\+results(?:\\[[^]]*])?:\\s*(.*?)\\s*$", Pattern.CASE_INSENSITIVE);
  private static final Pattern TO_ESCAPE = Pattern.compile("(?m)^([ \\t]*)(,*(?:\\*|#\\+))");
  private static final Pattern DRAWER = Pattern.compile("^\\s*:[^\\s:]+:\\s*$");

  private final List<String> lines;
  private final Map<String, Integer> named = new HashMap<>();

  private Results(OrgDocument document) {
    lines = new ArrayList<>(document.lines());
    for (int at = 0; at < lines.size(); at++) {
      Matcher keyword = KEYWORD.matcher(lines.get(at));
      if (keyword.matches() && !keyword.group(1).isEmpty()) {
        named.putIfAbsent(keyword.group(1), at);
      }
    }
  }

  /** Replaces the lines from one index up to another; inserts if both are equal. */
  private record Change(int from, int to, List<String> lines) {}

  /**
   * Returns the text of a document with results.
   *
   * @param result returns the result of a block; empty for none
   */
  public static String put(OrgDocument document, Function<SourceBlock, Optional<String>> result) {
    Results results = new Results(document);
    List<Change> changes = new ArrayList<>();
    for (SourceBlock block : document.blocks()) {
      result.apply(block).map(text -> results.change(block, text)).ifPresent(changes::add);
    }
    // From the end, so that the other indices stay valid.
    changes.sort(Collections.reverseOrder(Comparator.comparingInt(Change::from)));
    for (Change change : changes) {
      List<String> place = results.lines.subList(change.from(), change.to());
      place.clear();
      place.addAll(change.lines());
    }
    return String.join("\n", results.lines) + "\n";
  }

  private Change change(SourceBlock block, String text) {
    int old = block.name().isEmpty() ? below(block) : named.getOrDefault(block.name(), -1);
    List<String> result = format(block, text);
    if (old >= 0) {
      return new Change(old, endOfResult(old), result);
    }
    result.add(0, "");
    return new Change(block.end() + 1, block.end() + 1, result);
  }

  /** Returns the index of the keyword of an unnamed result below a block, or -1. */
  private int below(SourceBlock block) {
    int at = block.end() + 1;
    while (at < lines.size() && lines.get(at).isBlank()) {
      at++;
    }
    return at < lines.size() && KEYWORD.matcher(lines.get(at)).matches() ? at : -1;
  }

  private int endOfResult(int keyword) {
    int at = keyword + 1;
    if (at >= lines.size()) {
      return at;
    }
    String first = lines.get(at);
    Matcher begin = Reader.BEGIN.matcher(first);
    if (begin.matches()) {
      int end = Reader.endOf(lines, at, begin.group(2).toLowerCase(Locale.ROOT));
      return end < 0 ? at : end + 1;
    }
    if (DRAWER.matcher(first).matches()) {
      while (at < lines.size() && !lines.get(at).strip().equalsIgnoreCase(":end:")) {
        at++;
      }
      return Math.min(at + 1, lines.size());
    }
    String mark = first.strip();
    String kind = mark.startsWith("|") ? "|" : mark.startsWith(":") ? ":" : "";
    while (!kind.isEmpty() && at < lines.size() && lines.get(at).strip().startsWith(kind)) {
      at++;
    }
    return at;
  }

  private static List<String> format(SourceBlock block, String text) {
    List<String> lines = new ArrayList<>();
    lines.add("#+RESULTS:" + (block.name().isEmpty() ? "" : " " + block.name()));
    List<String> output = text.lines().toList();
    if (output.size() >= LINES_FOR_A_BLOCK) {
      lines.add("#+begin_example");
      TO_ESCAPE.matcher(text).replaceAll("$1,$2").lines().forEach(lines::add);
      lines.add("#+end_example");
    } else {
      output.forEach(line -> lines.add(line.isEmpty() ? ":" : ": " + line));
    }
    lines.replaceAll(line -> block.indentation() + line);
    return lines;
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.document;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Renders a document as a web page: headings, paragraphs, lists, tables, blocks and results. All
 * text is escaped, and only links to the web become links, so nothing in it is code to a browser.
 */
public final class HtmlView {
  private static final Pattern ITEM = Pattern.compile("^\\s*(?:[-+]|(\\d+)[.)])\\s+(.*)$");
  private static final Pattern DRAWER = Pattern.compile("^\\s*:([^\\s:]+):\\s*$");
  private static final Pattern LINK =
      Pattern.compile("\\[\\[((?:https?://|mailto:)[^\\]\\[\\s]+)](?:\\[([^\\]\\[]+)])?]");
  private static final Pattern MARKUP =
      Pattern.compile("(?<=^|[\\s('\"{-])([*/_=~+])(\\S(?:.*?\\S)?)\\1(?=$|[\\s)'\"}.,:;!?-])");

  private final OrgDocument document;
  private final List<String> lines;
  private final StringBuilder page = new StringBuilder();
  private String open = "";

  private HtmlView(OrgDocument document) {
    this.document = document;
    this.lines = document.lines();
  }

  /** Renders a document. */
  public static String of(OrgDocument document) {
    return new HtmlView(document).page();
  }

  private String page() {
    String title = escaped(document.title());
    page.append("<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<title>")
        .append(title.isEmpty() ? "Document" : title)
        .append(
            "</title>\n<link rel=\"stylesheet\" href=\"/page.css\">\n</head>\n<body>\n<main>\n");
    if (!title.isEmpty()) {
      page.append("<h1>").append(title).append("</h1>\n");
    }
    int at = 0;
    while (at < lines.size()) {
      at = element(at);
    }
    within("");
    return page.append("</main>\n</body>\n</html>\n").toString();
  }

  /** Closes the open list, table or paragraph, unless the element is the same. */
  private void within(String element) {
    if (!open.equals(element)) {
      if (!open.isEmpty()) {
        page.append("</").append(open).append(">\n");
      }
      if (!element.isEmpty()) {
        page.append('<').append(element).append(">\n");
      }
      open = element;
    }
  }

  /** Renders the element at a line; returns the index of the line after it. */
  private int element(int at) {
    String line = lines.get(at);
    Matcher begin = Reader.BEGIN.matcher(line);
    Matcher heading = Reader.HEADING.matcher(line);
    Matcher drawer = DRAWER.matcher(line);
    if (begin.matches()) {
      return block(at, begin.group(2).toLowerCase(Locale.ROOT));
    }
    if (heading.matches()) {
      within("");
      int level = Math.min(6, heading.group(1).length() + 1);
      page.append("<h%d>%s</h%d>\n".formatted(level, inline(heading.group(2)), level));
      return at + 1;
    }
    if (drawer.matches() && !drawer.group(1).equalsIgnoreCase("results")) {
      return drawerEnd(at).orElse(at) + 1;
    }
    return plain(at);
  }

  private Optional<Integer> drawerEnd(int begin) {
    for (int at = begin + 1; at < lines.size(); at++) {
      if (lines.get(at).strip().equalsIgnoreCase(":end:")) {
        return Optional.of(at);
      }
    }
    return Optional.empty();
  }

  private int block(int at, String kind) {
    int end = Reader.endOf(lines, at, kind);
    if (end < 0) {
      return at + 1;
    }
    within("");
    switch (kind) {
      case "src", "example" -> {
        page.append("<pre class=\"").append(kind).append("\">");
        for (String line : lines.subList(at + 1, end)) {
          page.append(escaped(Reader.unescaped(line))).append('\n');
        }
        page.append("</pre>\n");
      }
      case "quote", "verse", "center" -> {
        page.append("<blockquote>\n");
        int inner = at + 1;
        while (inner < end) {
          inner = element(inner);
        }
        within("");
        page.append("</blockquote>\n");
      }
      default -> {
        // Comments and blocks for other exporters are left out.
      }
    }
    return end + 1;
  }

  private int plain(int at) {
    String line = lines.get(at);
    String text = line.strip();
    Matcher item = ITEM.matcher(line);
    if (text.isEmpty() || text.startsWith("#+") || text.equals("#") || text.startsWith("# ")) {
      within("");
    } else if (text.equals(":") || text.startsWith(": ")) {
      within("pre");
      page.append(escaped(text.substring(Math.min(2, text.length())))).append('\n');
    } else if (text.startsWith("|")) {
      within("table");
      row(text);
    } else if (item.matches()) {
      within(item.group(1) == null ? "ul" : "ol");
      page.append("<li>").append(inline(item.group(2))).append('\n');
    } else if (text.matches("-{5,}")) {
      within("");
      page.append("<hr>\n");
    } else if (!text.matches("(?i):(?:results|end):")) {
      if (!open.equals("ul") && !open.equals("ol")) {
        within("p");
      }
      page.append(inline(text)).append('\n');
    }
    return at + 1;
  }

  private void row(String text) {
    if (text.startsWith("|-")) {
      return;
    }
    page.append("<tr>");
    for (String cell : text.substring(1).replaceFirst("\\|\\s*$", "").split("\\|", -1)) {
      page.append("<td>").append(inline(cell.strip())).append("</td>");
    }
    page.append("</tr>\n");
  }

  private static String inline(String text) {
    Matcher link = LINK.matcher(text);
    StringBuilder html = new StringBuilder();
    int end = 0;
    while (link.find()) {
      String shown = link.group(2) == null ? link.group(1) : link.group(2);
      html.append(marked(text.substring(end, link.start())))
          .append("<a rel=\"noreferrer\" href=\"%s\">".formatted(escaped(link.group(1))))
          .append(escaped(shown))
          .append("</a>");
      end = link.end();
    }
    return html.append(marked(text.substring(end))).toString();
  }

  private static String marked(String text) {
    return MARKUP
        .matcher(escaped(text))
        .replaceAll(
            found -> {
              String element =
                  switch (found.group(1)) {
                    case "*" -> "b";
                    case "/" -> "i";
                    case "_" -> "u";
                    case "+" -> "del";
                    default -> "code";
                  };
              return Matcher.quoteReplacement(
                  "<%s>%s</%s>".formatted(element, found.group(2), element));
            });
  }

  static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.obmesos.document.HeaderArgument;
import org.obmesos.document.InvalidDocumentException;
import org.obmesos.document.OrgDocument;
import org.obmesos.document.SourceBlock;
import org.obmesos.rpc.BlockItems;
import org.obmesos.task.Block;
import org.obmesos.task.InvalidBlockException;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;

/**
 * A document that was posted, and the tasks that its blocks became. The tasks' ids follow from the
 * document's and the blocks' places in it, so that one read again after a restart has the same.
 *
 * @param id what it is called in addresses
 * @param submitted when it was posted
 * @param title its own, or empty
 * @param parts those blocks that are run, in the order of the document
 */
record Posting(String id, Instant submitted, String title, List<Part> parts) {
  private static final int MOST_TASKS = 10_000;
  private static final int LONGEST_NAME = 60;

  /** The languages that can be run, with the commands that get the body's file. */
  private static final Map<String, List<String>> LANGUAGES =
      Map.ofEntries(
          Map.entry("sh", List.of("sh")),
          Map.entry("shell", List.of("sh")),
          Map.entry("bash", List.of("bash")),
          Map.entry("zsh", List.of("zsh")),
          Map.entry("python", List.of("python3")),
          Map.entry("python3", List.of("python3")),
          Map.entry("perl", List.of("perl")),
          Map.entry("ruby", List.of("ruby")),
          Map.entry("r", List.of("Rscript")),
          Map.entry("node", List.of("node")),
          Map.entry("js", List.of("node")),
          Map.entry("awk", List.of("awk", "-f")),
          Map.entry("lua", List.of("lua")),
          Map.entry("julia", List.of("julia")));

  /** Those, by their names in small letters. */
  static Map<String, List<String>> languages() {
    return LANGUAGES;
  }

  private static final Set<String> NOT_RUN = Set.of("no", "never", "query");

  /**
   * A block and its tasks.
   *
   * @param label its name for people
   * @param group what its members are called together; that of its only task if it has one
   * @param ids those of its tasks
   */
  record Part(SourceBlock source, String label, String group, List<TaskId> ids) {
    private Part withoutBody() {
      return new Part(
          new SourceBlock(
              source.name(),
              source.language(),
              List.of(),
              "",
              source.begin(),
              source.end(),
              source.indentation()),
          label,
          group,
          ids);
    }

    boolean isGroup() {
      return ids.size() > 1 || !ids.get(0).value().equals(group);
    }
  }

  /** What a task's document begins with that is not a file's name, for those are absolute. */
  private static final String POSTED = "posted/";

  /** The id of the document that a task belongs to, if it belongs to one that was posted. */
  static Optional<String> of(Task task) {
    String document = task.block().origin().document();
    return document.startsWith(POSTED)
        ? Optional.of(document.substring(POSTED.length()))
        : Optional.empty();
  }

  /** The same without what its blocks run, which is in the store. */
  Posting withoutBodies() {
    return new Posting(id, submitted, title, parts.stream().map(Part::withoutBody).toList());
  }

  /**
   * Reads a document: which of its blocks are run, and by which tasks.
   *
   * @throws InvalidDocumentException if two blocks have one name, or there are too many
   */
  static Posting read(String id, Instant submitted, OrgDocument document) {
    List<Part> parts = new ArrayList<>();
    Set<String> names = new HashSet<>();
    int count = 0;
    for (SourceBlock source : document.blocks()) {
      if (!isRun(source)) {
        continue;
      }
      if (!source.name().isEmpty() && !names.add(source.name())) {
        throw new InvalidDocumentException(
            source.lineNumber(), "another block is called " + source.name() + " too");
      }
      Part part = part(id, parts.size() + 1, source);
      count += part.ids().size();
      if (count > MOST_TASKS) {
        throw new InvalidDocumentException(
            source.lineNumber(), "more than " + MOST_TASKS + " tasks in one document");
      }
      parts.add(part);
    }
    return new Posting(id, submitted, document.title(), List.copyOf(parts));
  }

  private static boolean isRun(SourceBlock source) {
    return !NOT_RUN.contains(source.argument("eval", ""))
        && !source.argument("mesos", "yes").equals("no")
        && (source.language().equals("mesos") || LANGUAGES.containsKey(language(source)));
  }

  private static String language(SourceBlock source) {
    String language =
        source.language().equals("mesos") ? source.argument("lang", "sh") : source.language();
    return language.toLowerCase(Locale.ROOT);
  }

  private static Part part(String document, int number, SourceBlock source) {
    String name = source.name().replaceAll("[^A-Za-z0-9._-]", "_").replaceFirst("^\\.+", "_");
    String stem = name.isEmpty() ? "block" : name;
    String group =
        "%s-%s.%d"
            .formatted(stem.substring(0, Math.min(LONGEST_NAME, stem.length())), document, number);
    int instances = instances(source);
    List<TaskId> ids =
        instances == 0
            ? List.of(new TaskId(group))
            : IntStream.range(0, instances).mapToObj(n -> new TaskId(group + "." + n)).toList();
    return new Part(
        source, source.name().isEmpty() ? "block " + number : source.name(), group, ids);
  }

  /** How many copies of a block run; 0 if it says nothing and runs alone. */
  private static int instances(SourceBlock source) {
    String value = source.argument("instances", "");
    if (value.isEmpty()) {
      return 0;
    }
    if (!value.matches("\\d{1,5}") || value.matches("0+") || Integer.parseInt(value) > MOST_TASKS) {
      throw new InvalidDocumentException(
          source.lineNumber(),
          "instances: a whole number from 1 to " + MOST_TASKS + ", not '" + value + "'");
    }
    return Integer.parseInt(value);
  }

  /** All of its tasks. */
  List<TaskId> ids() {
    return parts.stream().flatMap(part -> part.ids().stream()).toList();
  }

  /**
   * What is to be submitted, each block after those it needs.
   *
   * @throws InvalidDocumentException if a block cannot be, or waits for itself
   */
  List<Block> toSubmit() {
    Map<String, Part> named = new HashMap<>();
    parts.forEach(part -> named.put(part.source().name(), part));
    List<Block> blocks = new ArrayList<>();
    Map<Part, Boolean> done = new LinkedHashMap<>();
    parts.forEach(part -> add(part, named, done, List.of(), blocks));
    return blocks;
  }

  private void add(
      Part part,
      Map<String, Part> named,
      Map<Part, Boolean> done,
      List<String> waiting,
      List<Block> blocks) {
    if (done.containsKey(part)) {
      return;
    }
    List<String> way = new ArrayList<>(waiting);
    way.add(part.label());
    if (waiting.contains(part.label())) {
      throw wrong(part, "after", "the block waits for itself: " + String.join(" -> ", way));
    }
    List<TaskId> before = new ArrayList<>();
    for (HeaderArgument argument : part.source().arguments()) {
      if (HeaderArguments.SYNONYMS.getOrDefault(argument.name(), argument.name()).equals("after")) {
        for (String name : argument.words()) {
          Part needed = named.get(name);
          if (needed == null) {
            throw wrong(part, argument.name(), "no block that is run is called " + name);
          }
          add(needed, named, done, way, blocks);
          before.addAll(needed.ids());
        }
      }
    }
    for (int index = 0; index < part.ids().size(); index++) {
      blocks.add(block(part, index, before));
    }
    done.put(part, true);
  }

  private Block block(Part part, int index, List<TaskId> before) {
    SourceBlock source = part.source();
    List<String> interpreter = LANGUAGES.get(language(source));
    if (interpreter == null) {
      throw wrong(part, "lang", "one of " + String.join(", ", new TreeSet<>(LANGUAGES.keySet())));
    }
    JsonObject item = new JsonObject();
    item.addProperty("id", part.ids().get(index).value());
    item.addProperty("name", part.label());
    item.addProperty("document", POSTED + id);
    item.addProperty("body", source.body().isBlank() ? "" : source.body() + "\n");
    item.add("interpreter", words(interpreter));
    item.add("after", words(before.stream().map(TaskId::value).toList()));
    if (part.isGroup()) {
      item.addProperty("group", part.group());
    }
    try {
      List<HeaderArgument> arguments = new ArrayList<>(source.arguments());
      if (part.isGroup()) {
        arguments.add(
            new HeaderArgument(
                "env", "OB_MESOS_INDEX=%d OB_MESOS_COUNT=%d".formatted(index, part.ids().size())));
      }
      return BlockItems.block(HeaderArguments.block(item, arguments));
    } catch (InvalidBlockException e) {
      throw new InvalidDocumentException(source.lineNumber(), part.label() + ": " + e.getMessage());
    }
  }

  private static JsonArray words(List<String> words) {
    JsonArray array = new JsonArray();
    words.forEach(array::add);
    return array;
  }

  private static InvalidDocumentException wrong(Part part, String argument, String why) {
    return new InvalidDocumentException(
        part.source().lineNumber(), part.label() + ": " + argument + ": " + why);
  }
}

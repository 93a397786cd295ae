// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.obmesos.api.BlockMapper;
import org.obmesos.document.HeaderArgument;
import org.obmesos.document.InvalidDocumentException;
import org.obmesos.document.OrgDocument;
import org.obmesos.document.SourceBlock;
import org.obmesos.task.Block;
import org.obmesos.task.InvalidBlockException;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;

/**
 * A posted document and the tasks of its blocks. The task ids are derived from the document's id
 * and the position of the block, so they are the same after a restart.
 *
 * @param id its id
 * @param submitted when it was posted
 * @param title its title, or empty
 * @param blocks the blocks that are run, in the order of the document
 */
record SubmittedDocument(String id, Instant submitted, String title, List<SubmittedBlock> blocks) {
  private static final int MAX_TASKS = 10_000;
  private static final int MAX_NAME = 60;

  /** The languages that can be run, with the commands that run a file. */
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

  /** Returns the commands by the names of the languages in lower case. */
  static Map<String, List<String>> languages() {
    return LANGUAGES;
  }

  private static final Set<String> EVAL_NEVER = Set.of("no", "never", "query");

  /**
   * A block of the document and its tasks.
   *
   * @param label its name, for the user
   * @param group the common block of the ids of its tasks; the id itself of a single task
   * @param ids the ids of its tasks
   */
  record SubmittedBlock(SourceBlock source, String label, String group, List<TaskId> ids) {
    private SubmittedBlock withoutBody() {
      return new SubmittedBlock(
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

  /** The prefix of the document name of a task; names of files are absolute. */
  private static final String POSTED = "posted/";

  /** Returns the id of the posted document a task belongs to; empty if it belongs to none. */
  static Optional<String> idOf(Task task) {
    String document = task.block().origin().document();
    return document.startsWith(POSTED)
        ? Optional.of(document.substring(POSTED.length()))
        : Optional.empty();
  }

  /** Returns this document without the bodies of its blocks, which are in the store. */
  SubmittedDocument withoutBodies() {
    return new SubmittedDocument(
        id, submitted, title, blocks.stream().map(SubmittedBlock::withoutBody).toList());
  }

  /**
   * Selects the blocks of a document that are run, and assigns task ids.
   *
   * @throws InvalidDocumentException if two blocks have one name, or there are too many
   */
  static SubmittedDocument parse(String id, Instant submitted, OrgDocument document) {
    List<SubmittedBlock> blocks = new ArrayList<>();
    Set<String> names = new HashSet<>();
    int count = 0;
    for (SourceBlock source : document.blocks()) {
      if (!isRun(source)) {
        continue;
      }
      if (!source.name().isEmpty() && !names.add(source.name())) {
        throw new InvalidDocumentException(
            source.lineNumber(), "another block has the name " + source.name() + " too");
      }
      SubmittedBlock block = block(id, blocks.size() + 1, source);
      count += block.ids().size();
      if (count > MAX_TASKS) {
        throw new InvalidDocumentException(
            source.lineNumber(), "more than " + MAX_TASKS + " tasks in one document");
      }
      blocks.add(block);
    }
    return new SubmittedDocument(id, submitted, document.title(), List.copyOf(blocks));
  }

  private static boolean isRun(SourceBlock source) {
    return !EVAL_NEVER.contains(source.argument("eval", ""))
        && !source.argument("mesos", "yes").equals("no")
        && (source.language().equals("mesos") || LANGUAGES.containsKey(language(source)));
  }

  private static String language(SourceBlock source) {
    String language =
        source.language().equals("mesos") ? source.argument("lang", "sh") : source.language();
    return language.toLowerCase(Locale.ROOT);
  }

  private static SubmittedBlock block(String document, int number, SourceBlock source) {
    String name = source.name().replaceAll("[^A-Za-z0-9._-]", "_").replaceFirst("^\\.+", "_");
    String stem = name.isEmpty() ? "block" : name;
    String group =
        "%s-%s.%d"
            .formatted(stem.substring(0, Math.min(MAX_NAME, stem.length())), document, number);
    int instances = instances(source);
    List<TaskId> ids =
        instances == 0
            ? List.of(new TaskId(group))
            : IntStream.range(0, instances).mapToObj(n -> new TaskId(group + "." + n)).toList();
    return new SubmittedBlock(
        source, source.name().isEmpty() ? "block " + number : source.name(), group, ids);
  }

  /** Returns the number of copies of a block; 0 if it runs alone. */
  private static int instances(SourceBlock source) {
    String value = source.argument("instances", "");
    if (value.isEmpty()) {
      return 0;
    }
    if (!value.matches("\\d{1,5}") || value.matches("0+") || Integer.parseInt(value) > MAX_TASKS) {
      throw new InvalidDocumentException(
          source.lineNumber(),
          "instances: a whole number from 1 to " + MAX_TASKS + ", not '" + value + "'");
    }
    return Integer.parseInt(value);
  }

  /** Returns the ids of all tasks. */
  List<TaskId> taskIds() {
    return blocks.stream().flatMap(block -> block.ids().stream()).toList();
  }

  /**
   * Returns the blocks to submit, each after those it depends on.
   *
   * @throws InvalidDocumentException if a block is not valid, or depends on itself
   */
  List<Block> toBlocks() {
    Map<String, SubmittedBlock> named = new HashMap<>();
    blocks.forEach(block -> named.put(block.source().name(), block));
    Ordering ordering = new Ordering(named);
    blocks.forEach(ordering::add);
    return ordering.ordered;
  }

  /** Orders blocks by their dependencies. */
  private final class Ordering {
    private final Map<String, SubmittedBlock> named;
    private final Set<SubmittedBlock> done = new HashSet<>();
    private final List<Block> ordered = new ArrayList<>();

    Ordering(Map<String, SubmittedBlock> named) {
      this.named = named;
    }

    /** Adds a block after its dependencies, however long their chain is. */
    void add(SubmittedBlock first) {
      Set<SubmittedBlock> path = new LinkedHashSet<>();
      Deque<SubmittedBlock> open = new ArrayDeque<>(List.of(first));
      while (!open.isEmpty()) {
        SubmittedBlock block = open.peek();
        if (path.contains(block) || done.contains(block)) {
          open.pop();
          path.remove(block);
          order(block);
          continue;
        }
        path.add(block);
        List<SubmittedBlock> needed = needed(block);
        needed.forEach(it -> checkCircle(path, it));
        // The first of them becomes the top.
        for (int index = needed.size() - 1; index >= 0; index--) {
          open.push(needed.get(index));
        }
      }
    }

    private void checkCircle(Set<SubmittedBlock> path, SubmittedBlock block) {
      if (path.contains(block)) {
        throw invalid(
            block,
            "after",
            "the block depends on itself: "
                + Stream.concat(path.stream().dropWhile(it -> !it.equals(block)), Stream.of(block))
                    .map(SubmittedBlock::label)
                    .collect(Collectors.joining(" -> ")));
      }
    }

    private List<SubmittedBlock> needed(SubmittedBlock block) {
      List<SubmittedBlock> found = new ArrayList<>();
      for (HeaderArgument argument : block.source().arguments()) {
        if (HeaderArguments.canonical(argument.name()).equals("after")) {
          for (String name : argument.words()) {
            if (!named.containsKey(name)) {
              throw invalid(block, argument.name(), "no block that is run has the name " + name);
            }
            found.add(named.get(name));
          }
        }
      }
      return found;
    }

    private void order(SubmittedBlock block) {
      if (!done.add(block)) {
        return;
      }
      List<SubmittedBlock> needed = needed(block);
      List<TaskId> before = needed.stream().flatMap(it -> it.ids().stream()).toList();
      List<String> labels = needed.stream().map(SubmittedBlock::label).toList();
      for (int index = 0; index < block.ids().size(); index++) {
        ordered.add(block(block, index, before, labels));
      }
    }
  }

  private Block block(SubmittedBlock block, int index, List<TaskId> before, List<String> labels) {
    SourceBlock source = block.source();
    List<String> interpreter = LANGUAGES.get(language(source));
    if (interpreter == null) {
      throw invalid(
          block, "lang", "one of " + String.join(", ", new TreeSet<>(LANGUAGES.keySet())));
    }
    JsonObject item = new JsonObject();
    item.addProperty("id", block.ids().get(index).value());
    item.addProperty("name", block.label());
    item.addProperty("document", POSTED + id);
    item.addProperty("body", source.body().isBlank() ? "" : source.body() + "\n");
    item.add("interpreter", words(interpreter));
    item.add("after", words(before.stream().map(TaskId::value).toList()));
    item.add("afterBlocks", words(labels));
    if (block.isGroup()) {
      item.addProperty("group", block.group());
    }
    try {
      List<HeaderArgument> arguments = new ArrayList<>(source.arguments());
      if (block.isGroup()) {
        arguments.add(
            new HeaderArgument(
                "env", "OB_MESOS_INDEX=%d OB_MESOS_COUNT=%d".formatted(index, block.ids().size())));
      }
      return BlockMapper.block(HeaderArguments.block(item, arguments));
    } catch (InvalidBlockException e) {
      throw new InvalidDocumentException(
          source.lineNumber(), block.label() + ": " + e.getMessage());
    }
  }

  private static JsonArray words(List<String> words) {
    JsonArray array = new JsonArray();
    words.forEach(array::add);
    return array;
  }

  private static InvalidDocumentException invalid(
      SubmittedBlock block, String argument, String why) {
    return new InvalidDocumentException(
        block.source().lineNumber(), block.label() + ": " + argument + ": " + why);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.obmesos.util.Digests;

/**
 * Identifies what a task computes: tasks with the same digest have the same result. Names,
 * resources and placement are no part of it.
 *
 * @param digest a SHA-256 of all parts, in hexadecimal
 * @param parts a shorter digest of each part, by the name of the part
 */
public record ResultKey(String digest, Map<String, String> parts) {
  /** The version of the rules; a result of another version is not reused. */
  private static final String VERSION = "ob-mesos 1";

  /** The prefix of the parts that only explain a difference of the body. */
  private static final String INPUT = "body/";

  private static final String BODY = "body";
  private static final int SHORT = 16;

  /** Copies the parts. */
  public ResultKey {
    Objects.requireNonNull(digest, "digest");
    parts = Map.copyOf(parts);
  }

  /**
   * Returns the key of a block.
   *
   * @param uris the digests of the contents of its URIs, as far as they are known here
   * @param blocks the keys of the blocks that come before it
   */
  public static ResultKey of(Block block, Map<String, String> uris, List<String> blocks) {
    Program program = block.program();
    ExecutionEnvironment around = program.executionEnvironment();
    Map<String, String> parts = new TreeMap<>();
    parts.put("command", Digests.of(program.interpreter()));
    parts.put(BODY, Digests.of(List.of(program.body())));
    parts.put("environment", Digests.of(environment(block)));
    parts.put("directory", Digests.of(List.of(program.directory())));
    parts.put(
        "container", Digests.of(around.container().map(ResultKey::container).orElse(List.of())));
    parts.put(
        "uris",
        Digests.of(
            around.uris().stream()
                .map(uri -> uri + " " + uris.getOrDefault(uri.value(), ""))
                .toList()));
    List<String> files = new ArrayList<>(block.reuse().files());
    files.add("");
    files.addAll(block.reuse().optionalFiles());
    parts.put("files", Digests.of(files));
    parts.put("blocks", Digests.of(blocks));
    List<String> all = new ArrayList<>(List.of(VERSION));
    parts.forEach((name, value) -> all.add(name + "=" + value));
    Map<String, String> shorter = new TreeMap<>();
    parts.forEach((name, value) -> shorter.put(name, value.substring(0, SHORT)));
    block.reuse().inputs().forEach((name, value) -> shorter.put(INPUT + name, value));
    return new ResultKey(Digests.of(all), shorter);
  }

  private static List<String> environment(Block block) {
    List<String> words = new ArrayList<>();
    new TreeMap<>(block.program().environment())
        .forEach(
            (name, value) -> {
              if (!block.reuse().ignored().contains(name)) {
                words.add(name + "=" + value);
              }
            });
    ExecutionEnvironment around = block.program().executionEnvironment();
    words.add(around.user());
    // Their values are not written down, not even as a digest.
    words.addAll(new TreeSet<>(around.secrets()));
    return words;
  }

  private static List<String> container(Container container) {
    List<String> words = new ArrayList<>();
    words.add(container.image().name());
    words.add(String.valueOf(container.image().entrypoint()));
    container.volumes().forEach(volume -> words.add(volume.toString()));
    return words;
  }

  /**
   * Returns the names of the parts in which two keys differ. A body that differs is explained by
   * what it was made of, where both keys know that.
   */
  public List<String> differences(ResultKey other) {
    TreeSet<String> names = new TreeSet<>(parts.keySet());
    names.addAll(other.parts.keySet());
    names.removeIf(name -> Objects.equals(parts.get(name), other.parts.get(name)));
    boolean bodyDiffers = names.contains(BODY);
    List<String> inputs =
        names.stream()
            .filter(name -> name.startsWith(INPUT))
            .map(name -> name.substring(INPUT.length()))
            .toList();
    names.removeIf(name -> name.startsWith(INPUT));
    if (bodyDiffers && !inputs.isEmpty()) {
      names.remove(BODY);
      names.addAll(inputs);
    }
    return List.copyOf(names);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.obmesos.document.HeaderArgument;
import org.obmesos.rpc.Messages.BlockItem;
import org.obmesos.task.InvalidBlockException;

/**
 * From the header arguments of a document to a block as Emacs would submit it: the same names, the
 * same meanings, and the same checks, which are those of the protocol.
 */
final class HeaderArguments {
  private static final Gson GSON = new Gson();
  private static final Pattern SIZE =
      Pattern.compile("(\\d+(?:\\.\\d+)?) ?([kmgt]?)i?b?", Pattern.CASE_INSENSITIVE);
  private static final Pattern URI_WORD =
      Pattern.compile(
          "((?:[a-z][a-z0-9]*://|/).*?)((?:\\+(?:extract|executable|cache|as=[^+]+))*)");
  private static final Pattern HEALTH =
      Pattern.compile("(cmd)\\s+([\\s\\S]+)|(http)\\s+([\\w-]*)(/\\S*)|(tcp)(?:\\s+([\\w-]+))?");
  private static final Pattern VOLUME = Pattern.compile("([^:]+):(/[^:]*)(?::(r[ow]))?");
  private static final Pattern EXPOSE = Pattern.compile("(?:(\\d{1,5}):)?(\\d{1,5})");
  private static final Pattern CONSTRAINT = Pattern.compile("([^:\\s]+):([A-Za-z_]+)(?::(\\S+))?");
  private static final int MOST_PORTS = 100;

  /** Other names that documents use. */
  static final Map<String, String> SYNONYMS =
      Map.of("cpu", "cpus", "dockerimage", "image", "requires", "after");

  /** What the place is that says so decides, not one argument alone. */
  static final Set<String> ELSEWHERE = Set.of("after", "instances", "lang", "wait", "mesos");

  /** Those that a document which somebody else has written cannot have, and why. */
  static final Map<String, String> REFUSED =
      Map.of(
          "var", "values are passed from block to block in Emacs only",
          "foreach", "values are passed from block to block in Emacs only",
          "stdin", "values are passed from block to block in Emacs only",
          "cmdline", "it is for blocks in Emacs",
          "shebang", "it is for blocks in Emacs",
          "files", "the files of this machine are not a document's",
          "fetch", "the files of this machine are not a document's",
          "secret", "the secrets of this machine are not a document's",
          "master", "a document that is posted runs where it is posted to");

  private static final Map<String, BiConsumer<JsonObject, HeaderArgument>> TAKEN = taken();

  private HeaderArguments() {}

  /** The names of those that are taken, without synonyms. */
  static Set<String> names() {
    return TAKEN.keySet();
  }

  private static Map<String, BiConsumer<JsonObject, HeaderArgument>> taken() {
    Map<String, BiConsumer<JsonObject, HeaderArgument>> all = new LinkedHashMap<>();
    for (String each : List.of("cpus", "gpus", "timeout", "backoff")) {
      all.put(each, (item, argument) -> item.addProperty(each, number(argument)));
    }
    all.put("kill-grace", (item, argument) -> item.addProperty("killGrace", number(argument)));
    for (String each : List.of("mem", "disk")) {
      all.put(each, (item, argument) -> item.addProperty(each, size(argument)));
    }
    for (String each : List.of("priority", "attempts")) {
      all.put(each, (item, argument) -> item.addProperty(each, whole(argument)));
    }
    all.put("tail", (item, argument) -> item.addProperty("tailLines", whole(argument)));
    for (String each : List.of("agent", "role", "user", "ensure")) {
      all.put(each, (item, argument) -> item.addProperty(each, argument.text()));
    }
    all.put("dir", (item, argument) -> item.addProperty("directory", argument.text()));
    all.put("env", HeaderArguments::environment);
    all.put("health", (item, argument) -> item.add("health", health(argument)));
    all.put("ports", (item, argument) -> item.add("ports", ports(argument)));
    all.put(
        "constraints",
        (item, argument) -> item.add("constraints", each(argument, CONSTRAINT, constraint())));
    all.put("uris", (item, argument) -> item.add("uris", each(argument, URI_WORD, uri())));
    takeContainers(all);
    return all;
  }

  private static void takeContainers(Map<String, BiConsumer<JsonObject, HeaderArgument>> all) {
    for (String each : List.of("image", "containerizer", "network")) {
      all.put(each, (item, argument) -> container(item).addProperty(each, argument.text()));
    }
    all.put(
        "dockerize",
        (item, argument) -> {
          if (flag(argument)) {
            container(item).addProperty("containerizer", "docker");
          }
        });
    for (String each : List.of("privileged", "entrypoint")) {
      all.put(each, (item, argument) -> container(item).addProperty(each, flag(argument)));
    }
    all.put(
        "pull",
        (item, argument) -> container(item).addProperty("pull", argument.text().equals("always")));
    all.put(
        "expose",
        (item, argument) ->
            container(item).add("expose", each(argument, EXPOSE, HeaderArguments::exposed)));
    all.put(
        "volumes",
        (item, argument) ->
            container(item).add("volumes", each(argument, VOLUME, HeaderArguments::volume)));
  }

  private static JsonObject container(JsonObject item) {
    if (!item.has("container")) {
      item.add("container", new JsonObject());
    }
    return item.getAsJsonObject("container");
  }

  /**
   * Takes arguments; of several with one name the last holds, and what is nobody's is left alone.
   *
   * @param item a block as the protocol has it, with its id and body
   * @throws InvalidBlockException if one cannot be taken
   */
  static BlockItem block(JsonObject item, List<HeaderArgument> arguments) {
    for (HeaderArgument argument : arguments) {
      String name = SYNONYMS.getOrDefault(argument.name(), argument.name());
      if (REFUSED.containsKey(name)) {
        throw new InvalidBlockException(argument.name(), REFUSED.get(name));
      }
      BiConsumer<JsonObject, HeaderArgument> taking = TAKEN.get(name);
      if (taking != null) {
        if (argument.isLisp()) {
          throw new InvalidBlockException(argument.name(), "Lisp is not evaluated here");
        }
        taking.accept(item, argument);
      }
    }
    complete(item);
    return GSON.fromJson(item, BlockItem.class);
  }

  /** What follows from what was said, as in Emacs. */
  private static void complete(JsonObject item) {
    if (item.has("container")) {
      JsonObject container = container(item);
      if (!container.has("image")) {
        throw new InvalidBlockException(container.keySet().iterator().next(), "it wants an :image");
      }
      if (!container.has("containerizer")) {
        container.addProperty("containerizer", "docker");
      }
      if (container.has("expose") && !container.has("network")) {
        container.addProperty("network", "bridge");
      }
      if (!item.get("body").getAsString().isBlank()) {
        container.addProperty("entrypoint", false);
      }
    }
    JsonObject health = item.getAsJsonObject("health");
    if (health != null && health.has("port") && health.get("port").getAsString().isEmpty()) {
      if (!item.has("ports")) {
        throw new InvalidBlockException("health", "it wants a port: its number, or one of :ports");
      }
      health.add("port", item.getAsJsonArray("ports").get(0));
    }
  }

  private static double number(HeaderArgument argument) {
    if (!argument.text().matches("\\d{1,9}(?:\\.\\d+)?")) {
      throw new InvalidBlockException(argument.name(), "a number, not '" + argument.text() + "'");
    }
    return Double.parseDouble(argument.text());
  }

  /** A whole number; its range is checked where the block is made. */
  static int whole(HeaderArgument argument) {
    if (!argument.text().matches("-?\\d{1,9}")) {
      throw new InvalidBlockException(
          argument.name(), "a whole number, not '" + argument.text() + "'");
    }
    return Integer.parseInt(argument.text());
  }

  private static double size(HeaderArgument argument) {
    Matcher size = SIZE.matcher(argument.text());
    if (!size.matches()) {
      throw new InvalidBlockException(
          argument.name(),
          "a size in MiB, or with a unit: 512M, 2G; not '" + argument.text() + "'");
    }
    double unit =
        switch (size.group(2).toLowerCase(Locale.ROOT)) {
          case "k" -> 1.0 / 1024;
          case "g" -> 1024;
          case "t" -> 1024 * 1024;
          default -> 1;
        };
    return Double.parseDouble(size.group(1)) * unit;
  }

  private static boolean flag(HeaderArgument argument) {
    return switch (argument.text()) {
      case "t", "yes" -> true;
      case "nil", "no" -> false;
      default ->
          throw new InvalidBlockException(
              argument.name(), "yes or no, not '" + argument.text() + "'");
    };
  }

  /** Variables add up, for the number of an instance is one too. */
  private static void environment(JsonObject item, HeaderArgument argument) {
    JsonObject variables =
        item.has("environment") ? item.getAsJsonObject("environment") : new JsonObject();
    item.add("environment", variables);
    for (String word : argument.words()) {
      if (!word.matches("[A-Za-z_][A-Za-z0-9_]*=[\\s\\S]*")) {
        throw new InvalidBlockException(argument.name(), "NAME=VALUE, not '" + word + "'");
      }
      variables.addProperty(
          word.substring(0, word.indexOf('=')), word.substring(word.indexOf('=') + 1));
    }
  }

  private static JsonObject health(HeaderArgument argument) {
    Matcher check = HEALTH.matcher(argument.text());
    if (!check.matches()) {
      throw new InvalidBlockException(
          argument.name(), "cmd COMMAND, http [PORT]/PATH or tcp [PORT]");
    }
    JsonObject health = new JsonObject();
    if (check.group(1) != null) {
      health.addProperty("kind", "cmd");
      health.addProperty("target", check.group(2));
    } else if (check.group(3) != null) {
      health.addProperty("kind", "http");
      health.addProperty("port", check.group(4));
      health.addProperty("target", check.group(5));
    } else {
      health.addProperty("kind", "tcp");
      health.addProperty("port", check.group(7) == null ? "" : check.group(7));
    }
    return health;
  }

  private static JsonArray ports(HeaderArgument argument) {
    JsonArray ports = new JsonArray();
    if (argument.text().matches("\\d+")) {
      int count = whole(argument);
      if (count < 1 || count > MOST_PORTS) {
        throw new InvalidBlockException(
            argument.name(), "how many ports, from 1 to " + MOST_PORTS + ", or names for them");
      }
      for (int port = 0; port < count; port++) {
        ports.add(Integer.toString(port));
      }
    } else {
      argument.words().forEach(ports::add);
    }
    return ports;
  }

  private interface Made {
    JsonObject of(Matcher word);
  }

  private static JsonArray each(HeaderArgument argument, Pattern pattern, Made made) {
    JsonArray all = new JsonArray();
    for (String word : argument.words()) {
      Matcher matcher = pattern.matcher(word);
      if (!matcher.matches()) {
        throw new InvalidBlockException(argument.name(), "'" + word + "' is none");
      }
      all.add(made.of(matcher));
    }
    return all;
  }

  private static Made constraint() {
    return word -> {
      JsonObject constraint = new JsonObject();
      constraint.addProperty("attribute", word.group(1));
      constraint.addProperty("operator", word.group(2));
      constraint.addProperty("value", word.group(3));
      return constraint;
    };
  }

  private static Made uri() {
    return word -> {
      JsonObject uri = new JsonObject();
      uri.addProperty("value", word.group(1));
      for (String flag : word.group(2).split("\\+", -1)) {
        if (flag.startsWith("as=")) {
          uri.addProperty("name", flag.substring(3));
        } else if (!flag.isEmpty()) {
          uri.addProperty(flag, true);
        }
      }
      return uri;
    };
  }

  private static JsonObject exposed(Matcher word) {
    JsonObject port = new JsonObject();
    port.addProperty("host", word.group(1) == null ? 0 : Integer.parseInt(word.group(1)));
    port.addProperty("container", Integer.parseInt(word.group(2)));
    return port;
  }

  private static JsonObject volume(Matcher word) {
    JsonObject volume = new JsonObject();
    volume.addProperty("host", word.group(1));
    volume.addProperty("container", word.group(2));
    volume.addProperty("readOnly", "ro".equals(word.group(3)));
    return volume;
  }
}

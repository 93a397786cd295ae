// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.obmesos.api.ArgumentType;
import org.obmesos.api.HeaderArgumentTable;
import org.obmesos.api.HeaderArgumentTable.Row;
import org.obmesos.api.HeaderArgumentTable.Scope;
import org.obmesos.api.Messages.BlockItem;
import org.obmesos.document.HeaderArgument;
import org.obmesos.task.InvalidBlockException;

/**
 * Converts the header arguments of a posted document into the message of a block, as Emacs would
 * submit it. {@link HeaderArgumentTable} gives names and types; the checks of the block itself are
 * those of the protocol.
 */
final class HeaderArguments {
  private static final Gson GSON = new Gson();
  private static final String CONTAINER = "container";
  private static final String IN_EMACS = "values are passed from block to block in Emacs only";
  private static final String LOCAL_FILES = "the files of this machine are not a document's";

  /** Org's arguments that are used here too. */
  private static final Map<String, Row> OF_ORG =
      Map.of(
          "dir",
          new Row(
              "dir", List.of(), new ArgumentType.AnyText(), List.of("directory"), Scope.BLOCK, ""));

  /** The arguments that a posted document cannot have, with the reason. */
  static final Map<String, String> REJECTED =
      Map.of(
          "var",
          IN_EMACS,
          "foreach",
          IN_EMACS,
          "stdin",
          IN_EMACS,
          "cmdline",
          "it is for blocks in Emacs",
          "shebang",
          "it is for blocks in Emacs",
          "files",
          LOCAL_FILES,
          "fetch",
          LOCAL_FILES,
          "session",
          "blocks have sessions in Emacs only",
          "secret",
          "the secrets of this machine are not a document's",
          "master",
          "a posted document runs on the server's own master");

  private HeaderArguments() {}

  /** Returns the name of an argument, which can be a synonym. */
  static String canonical(String name) {
    return HeaderArgumentTable.find(name).map(Row::name).orElse(name);
  }

  /**
   * Converts arguments. Of several with the same name the last counts; unknown ones are ignored.
   *
   * @param item the message of a block with its id and body, which is completed
   * @throws InvalidBlockException if one is not valid
   */
  static BlockItem block(JsonObject item, List<HeaderArgument> arguments) {
    for (HeaderArgument argument : arguments) {
      String name = canonical(argument.name());
      if (name.equals("session") && argument.text().equals("none")) {
        continue;
      }
      if (REJECTED.containsKey(name)) {
        throw new InvalidBlockException(argument.name(), REJECTED.get(name));
      }
      HeaderArgumentTable.find(name)
          .or(() -> Optional.ofNullable(OF_ORG.get(name)))
          .filter(row -> row.scope() == Scope.BLOCK)
          .ifPresent(row -> put(item, row, argument));
    }
    complete(item);
    return GSON.fromJson(item, BlockItem.class);
  }

  private static void put(JsonObject item, Row row, HeaderArgument argument) {
    if (argument.isLisp()) {
      throw new InvalidBlockException(argument.name(), "Lisp is not evaluated here");
    }
    JsonElement value =
        row.type()
            .convert(new ArgumentType.Value(argument.name(), argument.text(), argument.words()));
    JsonObject parent = item;
    for (String field : row.field().subList(0, row.field().size() - 1)) {
      parent = object(parent, field);
    }
    String field = row.field().get(row.field().size() - 1);
    if (row.type() == ArgumentType.Parsed.ENVIRONMENT) {
      // Variables add up: the index of an instance is one too.
      JsonObject variables = object(parent, field);
      value.getAsJsonObject().entrySet().forEach(it -> variables.add(it.getKey(), it.getValue()));
    } else if (!value.isJsonNull()) {
      parent.add(field, value);
    }
  }

  private static JsonObject object(JsonObject parent, String field) {
    if (!parent.has(field)) {
      parent.add(field, new JsonObject());
    }
    return parent.getAsJsonObject(field);
  }

  /** Sets what follows from the arguments, as Emacs does. */
  private static void complete(JsonObject item) {
    if (item.has(CONTAINER)) {
      completeContainer(item.getAsJsonObject(CONTAINER), item.get("body").getAsString());
    }
    if (item.has("mem") && item.get("mem").isJsonObject()) {
      JsonObject range = item.getAsJsonObject("mem");
      item.add("mem", range.get("from"));
      item.add("maxMem", range.get("to"));
    }
    JsonObject health = item.getAsJsonObject("health");
    if (health != null && health.has("port") && health.get("port").getAsString().isEmpty()) {
      if (!item.has("ports")) {
        throw new InvalidBlockException("health", "it needs a port: its number, or one of :ports");
      }
      health.add("port", item.getAsJsonArray("ports").get(0));
    }
  }

  private static void completeContainer(JsonObject container, String body) {
    if (!container.has("image")) {
      String argument = container.keySet().stream().findFirst().orElse("dockerize");
      throw new InvalidBlockException(argument, "it needs an :image");
    }
    if (!container.has("containerizer")) {
      container.addProperty("containerizer", "docker");
    }
    if (container.has("expose") && !container.has("network")) {
      container.addProperty("network", "bridge");
    }
    if (container.has("pull")) {
      container.addProperty("pull", container.get("pull").getAsString().equals("always"));
    }
    if (!body.isBlank()) {
      container.addProperty("entrypoint", false);
    }
  }
}

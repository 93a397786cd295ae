// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.api;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.obmesos.task.InvalidBlockException;

/** The values that a header argument takes, and their conversion into the message of a block. */
public sealed interface ArgumentType {
  /**
   * A value as it is written in a document.
   *
   * @param name the name of the argument, for error messages
   * @param text the whole value, without quotes around it
   * @param words its words; a quoted one can contain spaces
   */
  record Value(String name, String text, List<String> words) {
    InvalidBlockException invalid(String allowed) {
      return new InvalidBlockException(name, allowed + ", not '" + text + "'");
    }

    private double decimal() {
      if (!text.matches("\\d{1,9}(?:\\.\\d+)?")) {
        throw invalid("a number");
      }
      return Double.parseDouble(text);
    }

    /**
     * Parses a whole number.
     *
     * @throws InvalidBlockException if it is not one
     */
    public int whole() {
      if (!text.matches("-?\\d{1,9}")) {
        throw invalid("a whole number");
      }
      return Integer.parseInt(text);
    }
  }

  /**
   * Converts a value.
   *
   * @throws InvalidBlockException if it is not valid
   */
  JsonElement convert(Value value);

  /** Returns the type for the elisp table, which `ob-mesos--checked' interprets. */
  String toLisp();

  /** Any text; whoever uses it parses it. */
  record AnyText() implements ArgumentType {
    @Override
    public JsonElement convert(Value value) {
      return new JsonPrimitive(value.text());
    }

    @Override
    public String toLisp() {
      return "any";
    }
  }

  /**
   * A decimal number.
   *
   * @param bound the bound
   * @param inclusive whether the bound itself is allowed
   */
  record Decimal(int bound, boolean inclusive) implements ArgumentType {
    static Decimal above(int bound) {
      return new Decimal(bound, false);
    }

    static Decimal from(int bound) {
      return new Decimal(bound, true);
    }

    @Override
    public JsonElement convert(Value value) {
      double number = value.decimal();
      if (inclusive ? number < bound : number <= bound) {
        throw value.invalid(inclusive ? "a number, at least " + bound : "a number above " + bound);
      }
      return new JsonPrimitive(number);
    }

    @Override
    public String toLisp() {
      return "(number %s %d)".formatted(inclusive ? "from" : "above", bound);
    }
  }

  /** A time in seconds, or with a unit: s, m, h or d. */
  record Time() implements ArgumentType {
    private static final Pattern WORDS = Pattern.compile("(\\d{1,9}(?:\\.\\d+)?)([smhd]?)");
    private static final int MINUTE = 60;
    private static final int HOUR = 3600;
    private static final int DAY = 86_400;

    @Override
    public JsonElement convert(Value value) {
      Matcher words = WORDS.matcher(value.text());
      if (!words.matches()) {
        throw value.invalid("a time such as 90, 30m, 2h or 1d");
      }
      int unit =
          switch (words.group(2)) {
            case "m" -> MINUTE;
            case "h" -> HOUR;
            case "d" -> DAY;
            default -> 1;
          };
      return new JsonPrimitive(Double.parseDouble(words.group(1)) * unit);
    }

    @Override
    public String toLisp() {
      return "time";
    }
  }

  /** A whole number in a range, both ends included. */
  record Whole(int least, int most) implements ArgumentType {
    @Override
    public JsonElement convert(Value value) {
      int number = value.whole();
      if (number < least || number > most) {
        throw value.invalid("a whole number from %d to %d".formatted(least, most));
      }
      return new JsonPrimitive(number);
    }

    @Override
    public String toLisp() {
      return "(whole %d %d)".formatted(least, most);
    }
  }

  /** One of some words. */
  record OneOf(List<String> words) implements ArgumentType {
    static OneOf of(String... words) {
      return new OneOf(List.of(words));
    }

    @Override
    public JsonElement convert(Value value) {
      if (!words.contains(value.text())) {
        throw value.invalid(String.join(" or ", words));
      }
      return new JsonPrimitive(value.text());
    }

    @Override
    public String toLisp() {
      return words.stream()
          .map(word -> "\"" + word + "\"")
          .collect(Collectors.joining(" ", "(one-of ", ")"));
    }
  }

  /**
   * Yes or no.
   *
   * @param value the value of the field if it is yes; empty for true
   */
  record Flag(String value) implements ArgumentType {
    @Override
    public JsonElement convert(Value text) {
      boolean yes =
          switch (text.text()) {
            case "t", "yes" -> true;
            case "nil", "no" -> false;
            default -> throw text.invalid("yes or no");
          };
      if (value.isEmpty()) {
        return new JsonPrimitive(yes);
      }
      return yes ? new JsonPrimitive(value) : com.google.gson.JsonNull.INSTANCE;
    }

    @Override
    public String toLisp() {
      return value.isEmpty() ? "(flag t)" : "(flag \"" + value + "\")";
    }
  }

  /** Values with a syntax of their own. */
  enum Parsed implements ArgumentType {
    /** A size in MiB, or with a unit. */
    SIZE,
    /** A size, or two: FROM..TO. */
    MEMORY,
    /** One word. */
    WORD,
    /** NAME=VALUE words. */
    ENVIRONMENT,
    /** A health check. */
    HEALTH,
    /** A number of ports, or their names. */
    PORTS,
    /** ATTRIBUTE:OPERATOR:VALUE words. */
    CONSTRAINTS,
    /** URIs with flags. */
    URIS,
    /** HOST-PORT:CONTAINER-PORT words. */
    EXPOSE,
    /** PATH:CONTAINER-PATH words. */
    VOLUMES,
    /** NAME=USER@HOST words; only Emacs resolves them. */
    SECRETS;

    private static final Pattern SIZE_TEXT =
        Pattern.compile("(\\d+(?:\\.\\d+)?) ?([kmgt]?)i?b?", Pattern.CASE_INSENSITIVE);
    private static final Pattern URI = Pattern.compile("(?:[a-z][a-z0-9]*://|/).*");
    private static final Pattern URI_FLAG = Pattern.compile("extract|executable|cache|as=[^+]+");
    private static final Pattern HEALTH_TEXT =
        Pattern.compile("(cmd)\\s+([\\s\\S]+)|(http)\\s+([\\w-]*)(/\\S*)|(tcp)(?:\\s+([\\w-]+))?");
    private static final Pattern VOLUME = Pattern.compile("([^:]+):(/[^:]*)(?::(r[ow]))?");
    private static final Pattern PORT_MAPPING = Pattern.compile("(?:(\\d{1,5}):)?(\\d{1,5})");
    private static final Pattern CONSTRAINT =
        Pattern.compile("([^:\\s]+):([A-Za-z_]+)(?::(\\S+))?");
    private static final int MAX_PORTS = 100;

    @Override
    public JsonElement convert(Value value) {
      return switch (this) {
        case SIZE -> size(value, value.text());
        case MEMORY -> memory(value);
        case WORD -> word(value);
        case ENVIRONMENT, SECRETS -> environment(value);
        case HEALTH -> health(value);
        case PORTS -> ports(value);
        case CONSTRAINTS -> each(value, CONSTRAINT, Parsed::constraint);
        case URIS -> uris(value);
        case EXPOSE -> each(value, PORT_MAPPING, Parsed::exposed);
        case VOLUMES -> each(value, VOLUME, Parsed::volume);
      };
    }

    @Override
    public String toLisp() {
      return name().toLowerCase(Locale.ROOT);
    }

    private static JsonElement memory(Value value) {
      int dots = value.text().indexOf("..");
      if (dots < 0) {
        return size(value, value.text());
      }
      JsonObject range = new JsonObject();
      range.add("from", size(value, value.text().substring(0, dots)));
      range.add("to", size(value, value.text().substring(dots + 2)));
      return range;
    }

    private static JsonElement size(Value value, String text) {
      Matcher size = SIZE_TEXT.matcher(text);
      if (!size.matches()) {
        throw value.invalid("a size in MiB, or with a unit: 512M, 2G");
      }
      double unit =
          switch (size.group(2).toLowerCase(Locale.ROOT)) {
            case "k" -> 1.0 / 1024;
            case "g" -> 1024;
            case "t" -> 1024 * 1024;
            default -> 1;
          };
      return new JsonPrimitive(Double.parseDouble(size.group(1)) * unit);
    }

    private static JsonElement word(Value value) {
      if (!value.text().matches("[^\\s\\x00]+")) {
        throw value.invalid("one word");
      }
      return new JsonPrimitive(value.text());
    }

    private static JsonElement environment(Value value) {
      JsonObject variables = new JsonObject();
      for (String word : value.words()) {
        int equals = word.indexOf('=');
        if (equals < 0 || !word.substring(0, equals).matches("[A-Za-z_][A-Za-z0-9_]*")) {
          throw new InvalidBlockException(value.name(), "NAME=VALUE, not '" + word + "'");
        }
        variables.addProperty(word.substring(0, equals), word.substring(equals + 1));
      }
      return variables;
    }

    private static JsonElement health(Value value) {
      Matcher check = HEALTH_TEXT.matcher(value.text());
      if (!check.matches()) {
        throw value.invalid("cmd COMMAND, http [PORT]/PATH or tcp [PORT]");
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

    private static JsonElement ports(Value value) {
      JsonArray ports = new JsonArray();
      if (value.text().matches("\\d+")) {
        int count = value.whole();
        if (count < 1 || count > MAX_PORTS) {
          throw value.invalid("how many ports, from 1 to " + MAX_PORTS + ", or names for them");
        }
        for (int port = 0; port < count; port++) {
          ports.add(Integer.toString(port));
        }
      } else {
        value.words().forEach(ports::add);
      }
      return ports;
    }

    private static JsonElement each(
        Value value, Pattern pattern, Function<Matcher, JsonObject> conversion) {
      JsonArray all = new JsonArray();
      for (String word : value.words()) {
        Matcher matcher = pattern.matcher(word);
        if (!matcher.matches()) {
          throw new InvalidBlockException(value.name(), "'" + word + "' is not valid");
        }
        all.add(conversion.apply(matcher));
      }
      return all;
    }

    private static JsonObject constraint(Matcher word) {
      JsonObject constraint = new JsonObject();
      constraint.addProperty("attribute", word.group(1));
      constraint.addProperty("operator", word.group(2));
      constraint.addProperty("value", word.group(3));
      return constraint;
    }

    private static JsonElement uris(Value value) {
      JsonArray all = new JsonArray();
      for (String word : value.words()) {
        JsonObject uri = new JsonObject();
        String rest = word;
        int plus = rest.lastIndexOf('+');
        while (plus > 0 && URI_FLAG.matcher(rest.substring(plus + 1)).matches()) {
          String flag = rest.substring(plus + 1);
          if (flag.startsWith("as=")) {
            uri.addProperty("name", flag.substring(3));
          } else {
            uri.addProperty(flag, true);
          }
          rest = rest.substring(0, plus);
          plus = rest.lastIndexOf('+');
        }
        if (!URI.matcher(rest).matches()) {
          throw new InvalidBlockException(value.name(), "'" + word + "' is not valid");
        }
        uri.addProperty("value", rest);
        all.add(uri);
      }
      return all;
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
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Where tasks may run, in the words of Marathon's constraints.
 *
 * @param attribute what it is about: an attribute of agents, or {@code hostname}, {@code region} or
 *     {@code zone}
 * @param operator how it is compared
 * @param value what with; empty if the operator needs nothing
 */
public record Constraint(String attribute, Operator operator, String value) {
  /** How an agent's attribute is compared with a value, or with those of other tasks' agents. */
  public enum Operator {
    /** No two tasks have the same. */
    UNIQUE,
    /** All tasks have the same: the value, or if none is given the first task's. */
    CLUSTER,
    /** The tasks are spread evenly over what there is. */
    GROUP_BY,
    /** The value, a regular expression, matches it. */
    LIKE,
    /** The value, a regular expression, does not match it. */
    UNLIKE,
    /** At most so many tasks have the same. */
    MAX_PER,
    /** It is the value. */
    IS
  }

  /** How Marathon marks what is no attribute. */
  private static final String MARK = "@";

  /**
   * Checks that operator and value go together.
   *
   * @throws InvalidBlockException if they do not
   */
  public Constraint {
    Objects.requireNonNull(operator, "operator");
    Objects.requireNonNull(value, "value");
    attribute = attribute.startsWith(MARK) ? attribute.substring(1) : attribute;
    if (attribute.isEmpty()) {
      throw bad("an attribute comes first");
    }
    switch (operator) {
      case LIKE, UNLIKE -> checkPattern(operator, value);
      case IS -> {
        if (value.isEmpty()) {
          throw bad("IS wants a value");
        }
      }
      case MAX_PER -> {
        if (number(value) < 1) {
          throw bad("MAX_PER wants a whole number above 0, not '" + value + "'");
        }
      }
      case GROUP_BY -> {
        if (!value.isEmpty() && number(value) < 1) {
          throw bad("GROUP_BY wants a whole number above 0, or nothing, not '" + value + "'");
        }
      }
      case UNIQUE -> {
        if (!value.isEmpty()) {
          throw bad("UNIQUE wants no value");
        }
      }
      case CLUSTER -> {}
    }
  }

  private static void checkPattern(Operator operator, String value) {
    if (value.isEmpty()) {
      throw bad(operator + " wants a regular expression");
    }
    try {
      Pattern.compile(value);
    } catch (PatternSyntaxException e) {
      throw bad(operator + ": " + e.getDescription() + " in '" + value + "'");
    }
  }

  /** The value as a number; -1 if it is none. */
  private static int number(String value) {
    return value.matches("[0-9]{1,6}") ? Integer.parseInt(value) : -1;
  }

  /** The value as a number, 0 if there is none. */
  public int number() {
    return Math.max(0, number(value));
  }

  /**
   * From its words.
   *
   * @throws InvalidBlockException if there is no such operator, or it wants another value
   */
  public static Constraint of(String attribute, String operator, String value) {
    try {
      return new Constraint(attribute, Operator.valueOf(operator.toUpperCase(Locale.ROOT)), value);
    } catch (IllegalArgumentException e) {
      if (e instanceof InvalidBlockException) {
        throw e;
      }
      throw bad(
          "'%s' is none of UNIQUE, CLUSTER, GROUP_BY, LIKE, UNLIKE, MAX_PER, IS"
              .formatted(operator));
    }
  }

  private static InvalidBlockException bad(String why) {
    return new InvalidBlockException("constraints", why);
  }

  @Override
  public String toString() {
    return attribute + ":" + operator + (value.isEmpty() ? "" : ":" + value);
  }
}

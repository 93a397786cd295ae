// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A placement constraint as in Marathon (its docs/constraints.md).
 *
 * @param attribute an attribute of agents, or {@code hostname}, {@code region} or {@code zone}
 * @param operator how its value is compared
 * @param value the operand; empty if the operator has none
 */
public record Constraint(String attribute, Operator operator, String value) {
  /** Compares an agent's attribute with a value, or with the attributes of other tasks' agents. */
  public enum Operator {
    /** No two tasks have the same value. */
    UNIQUE,
    /** All tasks have the same value: the operand, or without one that of the first task. */
    CLUSTER,
    /** The tasks are spread evenly over all values. */
    GROUP_BY,
    /** It matches the operand, a regular expression. */
    LIKE,
    /** It does not match the operand, a regular expression. */
    UNLIKE,
    /** At most so many tasks have the same value. */
    MAX_PER,
    /** It equals the operand. */
    IS
  }

  /** Marathon's prefix for names that are not attributes. */
  private static final String MARK = "@";

  /**
   * Validates the operand.
   *
   * @throws InvalidBlockException if the operator does not allow it
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

  /** Parses a number; -1 if it is not one. */
  private static int number(String value) {
    return value.matches("[0-9]{1,6}") ? Integer.parseInt(value) : -1;
  }

  /** Returns the operand as a number; 0 if there is none. */
  public int number() {
    return Math.max(0, number(value));
  }

  /**
   * Creates a constraint from its parts.
   *
   * @throws InvalidBlockException if there is no such operator, or it needs another operand
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

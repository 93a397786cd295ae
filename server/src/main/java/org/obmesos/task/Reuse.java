// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Whether the result of an earlier task with the same {@link ResultKey} takes the place of a run.
 *
 * @param mode when it does
 * @param files the files that belong to the result, relative to the sandbox; at most 1000
 * @param optionalFiles those that belong to it if the task has made them
 * @param blocks the names of the blocks of the same document that come before, without a value
 * @param ignored the environment variables without influence on the result
 * @param inputs digests of what the body was made of, by names such as {@code values}; they explain
 *     why two bodies differ
 */
public record Reuse(
    Mode mode,
    List<String> files,
    List<String> optionalFiles,
    List<String> blocks,
    Set<String> ignored,
    Map<String, String> inputs) {
  /** When a result is reused. */
  public enum Mode {
    /** The result is never reused, not by later tasks either. */
    NEVER,
    /** The task runs; later tasks can reuse its result. */
    NO,
    /** The task runs unless there is a result. */
    YES,
    /** The task does not run: without a result it ends, and says why there is none. */
    ONLY
  }

  private static final int MAX_ENTRIES = 1000;

  /** The task runs. */
  public static final Reuse NONE =
      new Reuse(Mode.NO, List.of(), List.of(), List.of(), Set.of(), Map.of());

  /**
   * Copies the collections.
   *
   * @throws InvalidBlockException if one of them is too large
   */
  public Reuse {
    Objects.requireNonNull(mode, "mode");
    files = List.copyOf(files);
    optionalFiles = List.copyOf(optionalFiles);
    blocks = List.copyOf(blocks);
    ignored = Set.copyOf(ignored);
    inputs = Map.copyOf(inputs);
    if (files.size() + optionalFiles.size() > MAX_ENTRIES
        || blocks.size() > MAX_ENTRIES
        || inputs.size() > MAX_ENTRIES) {
      throw new InvalidBlockException("cache", "for at most " + MAX_ENTRIES + " files and blocks");
    }
  }

  /** Returns whether files can belong to the result. */
  public boolean hasFiles() {
    return !files.isEmpty() || !optionalFiles.isEmpty();
  }

  /** Returns whether this allows a result to take the place of a run. */
  public boolean wantsResult() {
    return mode == Mode.YES || mode == Mode.ONLY;
  }
}

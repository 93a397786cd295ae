// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/**
 * How often a task was launched, and where it is.
 *
 * @param attempt how often the task was launched before, from 0
 * @param runs in how many of these launches it ran, and ended in vain
 * @param site where its last launch went
 */
public record Placing(int attempt, int runs, Site site) {
  /** Not launched yet. */
  public static final Placing NONE = new Placing(0, 0, Site.NONE);

  /** No component is null. */
  public Placing {
    Objects.requireNonNull(site, "site");
  }

  /** Launched there. */
  public Placing at(Site there) {
    return new Placing(attempt, runs, there);
  }

  /** Waiting again after a launch that did not happen; the next one gets an id of its own. */
  public Placing again() {
    return new Placing(attempt + 1, runs, Site.NONE);
  }

  /** Waiting again after a run in vain. */
  public Placing afterRun() {
    return new Placing(attempt + 1, runs + 1, Site.NONE);
  }
}

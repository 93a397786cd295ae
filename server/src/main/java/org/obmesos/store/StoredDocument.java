// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import java.time.Instant;
import java.util.Objects;

/**
 * A document that somebody else has handed in.
 *
 * @param id what it is called
 * @param submitted when, to the millisecond
 * @param text all of it
 * @param taken whether its tasks are in the store too
 */
public record StoredDocument(String id, Instant submitted, String text, boolean taken) {
  /** No component is null. */
  public StoredDocument {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(submitted, "submitted");
    Objects.requireNonNull(text, "text");
  }
}

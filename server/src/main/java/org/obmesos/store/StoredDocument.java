// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import java.time.Instant;
import java.util.Objects;

/**
 * A document that was posted over HTTP.
 *
 * @param id its id
 * @param time when it was posted, to the millisecond
 * @param text its whole text
 * @param submitted whether its tasks are in the store
 */
public record StoredDocument(String id, Instant time, String text, boolean submitted) {
  /** Rejects null components. */
  public StoredDocument {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(time, "time");
    Objects.requireNonNull(text, "text");
  }
}

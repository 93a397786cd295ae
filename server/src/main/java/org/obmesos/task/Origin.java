// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/**
 * Where a block comes from.
 *
 * @param name the block's name, empty if it has none
 * @param document the file it stands in, empty if none
 */
public record Origin(String name, String document) {
  /** Neither component is null. */
  public Origin {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(document, "document");
  }
}

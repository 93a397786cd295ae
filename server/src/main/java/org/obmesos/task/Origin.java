// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/**
 * Where a block comes from.
 *
 * @param name the block's name, empty if it has none
 * @param document the file it stands in, empty if none
 * @param group what it is one of several of, empty if it stands alone
 */
public record Origin(String name, String document, String group) {
  /** One that stands alone. */
  public Origin(String name, String document) {
    this(name, document, "");
  }

  /** No component is null. */
  public Origin {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(document, "document");
    Objects.requireNonNull(group, "group");
  }

  /** Whether constraints look at this and the other together. */
  public boolean isPeerOf(Origin other) {
    return group.isEmpty()
        ? other.group.isEmpty()
            && !name.isEmpty()
            && name.equals(other.name)
            && document.equals(other.document)
        : group.equals(other.group);
  }
}

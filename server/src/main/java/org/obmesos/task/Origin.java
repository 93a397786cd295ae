// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import java.util.Objects;

/**
 * The document a block comes from.
 *
 * @param name the block's name, empty if it has none
 * @param document the file of the document, empty if there is none
 * @param group the group it is a member of, empty if it is none
 * @param title what distinguishes it from the other members of the group; empty if it is unknown
 */
public record Origin(String name, String document, String group, String title) {
  /** Creates the origin of a block that is not a member of a group. */
  public Origin(String name, String document) {
    this(name, document, "", "");
  }

  /** Rejects null components. The title of a block of version 0.2 is empty. */
  public Origin {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(document, "document");
    Objects.requireNonNull(group, "group");
    title = Objects.requireNonNullElse(title, "");
  }

  /** Returns whether placement constraints compare the two blocks. */
  public boolean isPeerOf(Origin other) {
    return group.isEmpty()
        ? other.group.isEmpty()
            && !name.isEmpty()
            && name.equals(other.name)
            && document.equals(other.document)
        : group.equals(other.group);
  }
}

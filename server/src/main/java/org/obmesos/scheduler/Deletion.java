// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.obmesos.task.TaskId;

/**
 * Deletes ended tasks. A task is kept while another task that has not ended depends on it, because
 * the state of a deleted task is not known.
 */
final class Deletion extends Request {
  private final List<TaskId> requested;
  private final Set<TaskId> deleted = new LinkedHashSet<>();

  Deletion(Collection<TaskId> ids) {
    this.requested = List.copyOf(ids);
  }

  /** Returns the tasks that were deleted; only after {@link #done}. */
  Set<TaskId> ids() {
    return deleted;
  }

  @Override
  public void prepare(Draft draft) {
    deleted.clear();
    Set<TaskId> needed = draft.dependencies();
    for (TaskId id : requested) {
      if (!needed.contains(id) && draft.delete(id)) {
        deleted.add(id);
      }
    }
  }
}

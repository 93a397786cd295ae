// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.Collection;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;

/** Passes everything on to two listeners. */
public record ListenerPair(FrameworkListener first, FrameworkListener second)
    implements FrameworkListener {
  @Override
  public void status(Task task) {
    first.status(task);
    second.status(task);
  }

  @Override
  public void ended(Task task, TaskResult result, String sandbox) {
    first.ended(task, result, sandbox);
    second.ended(task, result, sandbox);
  }

  @Override
  public void deleted(Collection<TaskId> ids) {
    first.deleted(ids);
    second.deleted(ids);
  }

  @Override
  public void output(TaskId id, String tail, long size) {
    first.output(id, tail, size);
    second.output(id, tail, size);
  }

  @Override
  public void cluster(boolean connected, String message) {
    first.cluster(connected, message);
    second.cluster(connected, message);
  }

  @Override
  public void warning(String message) {
    first.warning(message);
    second.warning(message);
  }

  @Override
  public void storeLost(String message) {
    first.storeLost(message);
    second.storeLost(message);
  }
}

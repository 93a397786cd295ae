// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.obmesos.scheduler.FrameworkListener;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;

/** Records what a framework reports. */
class RecordingListener implements FrameworkListener {
  final List<Task> statuses = new CopyOnWriteArrayList<>();
  final Map<TaskId, TaskResult> results = new ConcurrentHashMap<>();
  final Map<TaskId, String> tails = new ConcurrentHashMap<>();
  final List<TaskId> deleted = new CopyOnWriteArrayList<>();
  final List<String> troubles = new CopyOnWriteArrayList<>();
  final List<String> warnings = new CopyOnWriteArrayList<>();
  final List<String> storeLost = new CopyOnWriteArrayList<>();
  volatile boolean connected;

  @Override
  public void status(Task task) {
    statuses.add(task);
  }

  @Override
  public void ended(Task task, TaskResult result, String sandbox) {
    statuses.add(task);
    results.put(task.id(), result);
  }

  @Override
  public void deleted(Collection<TaskId> ids) {
    deleted.addAll(ids);
  }

  @Override
  public void output(TaskId id, String tail, long size) {
    tails.put(id, tail);
  }

  @Override
  public void cluster(boolean isConnected, String message) {
    connected = isConnected;
    if (!isConnected) {
      troubles.add(message);
    }
  }

  @Override
  public void warning(String message) {
    warnings.add(message);
  }

  @Override
  public void storeLost(String message) {
    storeLost.add(message);
  }
}

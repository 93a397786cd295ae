// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import org.eclipse.lsp4j.jsonrpc.services.JsonNotification;
import org.obmesos.rpc.Messages.ClusterParams;
import org.obmesos.rpc.Messages.LogParams;
import org.obmesos.rpc.Messages.OutputParams;
import org.obmesos.rpc.Messages.Tasks;

/** What Emacs is told. */
public interface EmacsClient {
  /** Tasks have new statuses; ended ones come with their results. None is ever left out. */
  @JsonNotification("task/status")
  void status(Tasks params);

  /** The last lines of tasks that run. Only the newest of each is told. */
  @JsonNotification("task/output")
  void output(OutputParams params);

  /** The connection to the cluster has changed. */
  @JsonNotification("cluster/status")
  void cluster(ClusterParams params);

  /** Something a person should see. */
  @JsonNotification("log/message")
  void log(LogParams params);
}

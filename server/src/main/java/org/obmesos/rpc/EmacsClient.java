// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import org.eclipse.lsp4j.jsonrpc.services.JsonNotification;
import org.obmesos.api.Messages.ClusterParams;
import org.obmesos.api.Messages.LogParams;
import org.obmesos.api.Messages.OutputParams;
import org.obmesos.api.Messages.Tasks;

/** The notifications to Emacs. */
public interface EmacsClient {
  /**
   * Tasks have new statuses; ended ones come with their results. Of several statuses of a task that
   * wait to be written only the last is sent.
   */
  @JsonNotification("task/status")
  void status(Tasks params);

  /** Running tasks have written; only the newest last lines of each are sent. */
  @JsonNotification("task/output")
  void output(OutputParams params);

  /** The connection to the cluster has changed. */
  @JsonNotification("cluster/status")
  void cluster(ClusterParams params);

  /** A message for the user. */
  @JsonNotification("log/message")
  void log(LogParams params);
}

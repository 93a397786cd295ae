// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import java.util.concurrent.CompletableFuture;
import org.eclipse.lsp4j.jsonrpc.services.JsonNotification;
import org.eclipse.lsp4j.jsonrpc.services.JsonRequest;
import org.obmesos.api.Messages.AgentsResult;
import org.obmesos.api.Messages.Empty;
import org.obmesos.api.Messages.FilesParams;
import org.obmesos.api.Messages.FilesResult;
import org.obmesos.api.Messages.FoundTasks;
import org.obmesos.api.Messages.IdParams;
import org.obmesos.api.Messages.Ids;
import org.obmesos.api.Messages.IdsParams;
import org.obmesos.api.Messages.InitializeParams;
import org.obmesos.api.Messages.InitializeResult;
import org.obmesos.api.Messages.OffersResult;
import org.obmesos.api.Messages.PageResult;
import org.obmesos.api.Messages.ReadParams;
import org.obmesos.api.Messages.ReadResult;
import org.obmesos.api.Messages.SessionParams;
import org.obmesos.api.Messages.SessionsResult;
import org.obmesos.api.Messages.ShutdownParams;
import org.obmesos.api.Messages.SubmitParams;
import org.obmesos.api.Messages.Tasks;

/** The requests of Emacs. Each future fails with an error of {@link ErrorCode}. */
public interface BlockService {
  /** Starts the session; other requests before it are errors. */
  @JsonRequest("initialize")
  CompletableFuture<InitializeResult> initialize(InitializeParams params);

  /** The client is ready. */
  @JsonNotification("initialized")
  void initialized(Empty params);

  /** Announces the end, and kills tasks; only {@code exit} may follow. */
  @JsonRequest("shutdown")
  CompletableFuture<Object> shutdown(ShutdownParams params);

  /** Ends the server. Tasks go on. */
  @JsonNotification("exit")
  void exit();

  /** Submits 1 to 10,000 blocks, all or none; answers with their ids once they are stored. */
  @JsonRequest("task/submit")
  CompletableFuture<Ids> submit(SubmitParams params);

  /** Kills tasks; answers with those that are known once the kills are stored. */
  @JsonRequest("task/kill")
  CompletableFuture<Tasks> kill(IdsParams params);

  /** Returns all tasks, in the order of submission, without results. */
  @JsonRequest("task/list")
  CompletableFuture<Tasks> list(Empty params);

  /**
   * Returns the given tasks as far as they are known; ended ones with their results. Tasks that do
   * not fit into one answer are named in it.
   */
  @JsonRequest("task/get")
  CompletableFuture<FoundTasks> get(IdsParams params);

  /** Reads a part of a file in a task's sandbox, at most 1 MiB. */
  @JsonRequest("task/read")
  CompletableFuture<ReadResult> read(ReadParams params);

  /** Sets the tasks that are visible; their last lines are sent more often. */
  @JsonNotification("task/watch")
  void watch(IdsParams params);

  /** Lists a directory of a task's sandbox. */
  @JsonRequest("task/files")
  CompletableFuture<FilesResult> files(FilesParams params);

  /** Deletes ended tasks with their results and sandboxes; answers with their ids. */
  @JsonRequest("task/forget")
  CompletableFuture<Ids> forget(IdsParams params);

  /** Returns the sessions that have not ended. */
  @JsonRequest("session/list")
  CompletableFuture<SessionsResult> sessions(Empty params);

  /** Ends sessions, and the blocks that they run. */
  @JsonRequest("session/kill")
  CompletableFuture<Empty> endSessions(SessionParams params);

  /** Returns the agents that have made offers. */
  @JsonRequest("agent/list")
  CompletableFuture<AgentsResult> agents(Empty params);

  /** Returns the page of a task in the master's web UI; without {@code url} if there is none. */
  @JsonRequest("task/page")
  CompletableFuture<PageResult> page(IdParams params);

  /** Returns the last offers, the oldest first, with their outcomes. */
  @JsonRequest("offer/list")
  CompletableFuture<OffersResult> offers(Empty params);
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import java.util.concurrent.CompletableFuture;
import org.eclipse.lsp4j.jsonrpc.services.JsonNotification;
import org.eclipse.lsp4j.jsonrpc.services.JsonRequest;
import org.obmesos.rpc.Messages.AgentsResult;
import org.obmesos.rpc.Messages.Empty;
import org.obmesos.rpc.Messages.FilesParams;
import org.obmesos.rpc.Messages.FilesResult;
import org.obmesos.rpc.Messages.IdParams;
import org.obmesos.rpc.Messages.Ids;
import org.obmesos.rpc.Messages.IdsParams;
import org.obmesos.rpc.Messages.InitializeParams;
import org.obmesos.rpc.Messages.InitializeResult;
import org.obmesos.rpc.Messages.OffersResult;
import org.obmesos.rpc.Messages.PageResult;
import org.obmesos.rpc.Messages.ReadParams;
import org.obmesos.rpc.Messages.ReadResult;
import org.obmesos.rpc.Messages.ShutdownParams;
import org.obmesos.rpc.Messages.SubmitParams;
import org.obmesos.rpc.Messages.Tasks;

/** What Emacs can ask. Each future fails with an error of {@link ErrorCode}. */
public interface BlockService {
  /** Begins; nothing else is answered before. */
  @JsonRequest("initialize")
  CompletableFuture<InitializeResult> initialize(InitializeParams params);

  /** The client is ready too. */
  @JsonNotification("initialized")
  void initialized(Empty params);

  /** Announces the end, and what is to end with it; only {@code exit} may follow. */
  @JsonRequest("shutdown")
  CompletableFuture<Object> shutdown(ShutdownParams params);

  /** Ends the server; tasks go on. */
  @JsonNotification("exit")
  void exit();

  /** Takes 1 to 10,000 blocks, all or none; answers with their ids once they are stored. */
  @JsonRequest("task/submit")
  CompletableFuture<Ids> submit(SubmitParams params);

  /** Ends tasks; answers with those that are known. */
  @JsonRequest("task/kill")
  CompletableFuture<Tasks> kill(IdsParams params);

  /** All tasks, in the order of their submission, without results. */
  @JsonRequest("task/list")
  CompletableFuture<Tasks> list(Empty params);

  /** Those of the given tasks that are known; ended ones with their results. */
  @JsonRequest("task/get")
  CompletableFuture<Tasks> get(IdsParams params);

  /** A piece of a file in a task's sandbox, at most 1 MiB. */
  @JsonRequest("task/read")
  CompletableFuture<ReadResult> read(ReadParams params);

  /** Says which tasks somebody looks at; their tails come more often. */
  @JsonNotification("task/watch")
  void watch(IdsParams params);

  /** What is in a directory of a task's sandbox. */
  @JsonRequest("task/files")
  CompletableFuture<FilesResult> files(FilesParams params);

  /** Removes ended tasks with their results and sandboxes; answers with what is gone. */
  @JsonRequest("task/forget")
  CompletableFuture<Ids> forget(IdsParams params);

  /** The agents that have made offers. */
  @JsonRequest("agent/list")
  CompletableFuture<AgentsResult> agents(Empty params);

  /** The page of a task in the master's web UI; without {@code url} where there is none. */
  @JsonRequest("task/page")
  CompletableFuture<PageResult> page(IdParams params);

  /** The last offers, the oldest first, and what was said to each. */
  @JsonRequest("offer/list")
  CompletableFuture<OffersResult> offers(Empty params);
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.eclipse.lsp4j.jsonrpc.ResponseErrorException;
import org.eclipse.lsp4j.jsonrpc.messages.ResponseError;
import org.eclipse.lsp4j.jsonrpc.messages.ResponseErrorCode;
import org.obmesos.api.BlockMapper;
import org.obmesos.api.Messages.AgentItem;
import org.obmesos.api.Messages.AgentsResult;
import org.obmesos.api.Messages.BlockErrorData;
import org.obmesos.api.Messages.BlockItem;
import org.obmesos.api.Messages.Empty;
import org.obmesos.api.Messages.FileItem;
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
import org.obmesos.api.Messages.TaskItem;
import org.obmesos.api.Messages.Tasks;
import org.obmesos.api.TaskMapper;
import org.obmesos.scheduler.Agent;
import org.obmesos.scheduler.Framework;
import org.obmesos.store.StoreException;
import org.obmesos.task.Block;
import org.obmesos.task.InvalidBlockException;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers the requests of Emacs. Every method returns at once. */
final class BlockEndpoint implements BlockService {
  private static final Logger log = LoggerFactory.getLogger(BlockEndpoint.class);
  static final int MAX_BLOCKS = 10_000;
  private static final int MAX_READ = 1 << 20;

  private final Framework framework;
  private final InitializeResult introduction;
  private final Runnable ready;
  private final Runnable exit;
  private boolean initialized;
  private boolean shutDown;
  private CompletableFuture<Void> finished = CompletableFuture.completedFuture(null);

  /**
   * Creates an endpoint.
   *
   * @param introduction the result of {@code initialize}
   * @param ready runs at {@code initialize}
   * @param exit runs at {@code exit}
   */
  BlockEndpoint(Framework framework, InitializeResult introduction, Runnable ready, Runnable exit) {
    this.framework = framework;
    this.introduction = introduction;
    this.ready = ready;
    this.exit = exit;
  }

  @Override
  public CompletableFuture<InitializeResult> initialize(InitializeParams params) {
    initialized = true;
    ready.run();
    return CompletableFuture.completedFuture(introduction);
  }

  @Override
  public void initialized(Empty params) {
    // Part of LSP's life cycle; nothing is to be done.
  }

  @Override
  public CompletableFuture<Object> shutdown(ShutdownParams params) {
    if (params != null && params.kill() != null && !params.kill().isEmpty()) {
      finished = framework.finish(ids(new IdsParams(params.kill())));
    }
    shutDown = true;
    return finished.thenApply(unused -> null);
  }

  @Override
  public void exit() {
    exit.run();
  }

  /** Completes when what {@code shutdown} requested is done. */
  CompletableFuture<Void> finished() {
    return finished;
  }

  /** Returns whether {@code shutdown} was requested. */
  boolean isShutDown() {
    return shutDown;
  }

  private <T> CompletableFuture<T> answer(Supplier<CompletableFuture<T>> work) {
    if (!initialized) {
      return CompletableFuture.failedFuture(
          ErrorCode.NOT_INITIALIZED.exception("initialize must come first", null));
    }
    if (shutDown) {
      return CompletableFuture.failedFuture(
          new ResponseErrorException(
              new ResponseError(
                  ResponseErrorCode.InvalidRequest, "the server is shutting down", null)));
    }
    try {
      return work.get()
          .exceptionallyCompose(failure -> CompletableFuture.failedFuture(mapped(failure)));
    } catch (ResponseErrorException e) {
      return CompletableFuture.failedFuture(e);
    } catch (InvalidBlockException e) {
      return CompletableFuture.failedFuture(invalidBlock(null, e));
    }
  }

  private static Throwable mapped(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause instanceof ResponseErrorException) {
      return cause;
    }
    if (cause instanceof UncheckedIOException io) {
      // Those of the JDK have a file name for a message, so the class says what is wrong.
      boolean ours = io.getCause().getClass() == IOException.class;
      return ErrorCode.SANDBOX_UNAVAILABLE.exception(
          String.valueOf(ours ? io.getCause().getMessage() : io.getMessage()), null);
    }
    if (cause instanceof InvalidBlockException invalid) {
      return invalidBlock(null, invalid);
    }
    if (cause instanceof StoreException) {
      return ErrorCode.STORE_FAILED.exception(cause.getMessage(), null);
    }
    return cause;
  }

  @Override
  public CompletableFuture<Ids> submit(SubmitParams params) {
    return answer(
        () -> {
          List<BlockItem> items = required("blocks", params == null ? null : params.blocks());
          if (items.isEmpty() || items.size() > MAX_BLOCKS) {
            throw invalid("blocks: 1 to " + MAX_BLOCKS + " blocks, not " + items.size());
          }
          List<Block> blocks = new ArrayList<>();
          Map<TaskId, Map<String, String>> secrets = new HashMap<>();
          for (BlockItem item : items) {
            Block block = block(required("block", item));
            blocks.add(block);
            if (item.secrets() != null) {
              secrets.put(block.id(), item.secrets());
            }
          }
          return framework
              .submit(blocks, secrets)
              .thenApply(
                  stored -> new Ids(blocks.stream().map(block -> block.id().value()).toList()));
        });
  }

  private static Block block(BlockItem item) {
    try {
      return BlockMapper.block(item);
    } catch (InvalidBlockException e) {
      throw invalidBlock(item.id(), e);
    } catch (NullPointerException e) {
      throw invalid("a block has null where a value must be");
    }
  }

  private static ResponseErrorException invalidBlock(String id, InvalidBlockException e) {
    return ErrorCode.INVALID_BLOCK.exception(e.getMessage(), new BlockErrorData(id, e.argument()));
  }

  private static <T> T required(String name, T value) {
    if (value == null) {
      throw invalid(name + " is missing");
    }
    return value;
  }

  private static ResponseErrorException invalid(String message) {
    return new ResponseErrorException(
        new ResponseError(ResponseErrorCode.InvalidParams, message, null));
  }

  private static Tasks items(List<Task> tasks) {
    return new Tasks(tasks.stream().map(TaskMapper::task).toList());
  }

  private static List<TaskId> ids(IdsParams params) {
    return required("ids", params == null ? null : params.ids()).stream().map(TaskId::new).toList();
  }

  @Override
  public CompletableFuture<Tasks> kill(IdsParams params) {
    return answer(() -> framework.kill(ids(params)).thenApply(BlockEndpoint::items));
  }

  @Override
  public CompletableFuture<Tasks> list(Empty params) {
    return answer(() -> framework.list().thenApply(BlockEndpoint::items));
  }

  @Override
  public CompletableFuture<FoundTasks> get(IdsParams params) {
    return answer(() -> framework.get(ids(params)).thenCompose(this::withResults));
  }

  /** Reads results one after the other, as long as they fit into one answer. */
  private CompletableFuture<FoundTasks> withResults(List<Task> tasks) {
    FoundTasks found = new FoundTasks(new ArrayList<>(), new ArrayList<>());
    AtomicInteger chars = new AtomicInteger();
    CompletableFuture<?> last = CompletableFuture.completedFuture(null);
    for (Task task : tasks) {
      last =
          last.thenCompose(
              before -> {
                if (chars.get() >= Outbox.MAX_BATCH_CHARS) {
                  found.omitted().add(task.id().value());
                  return CompletableFuture.completedFuture(null);
                }
                return withResult(task)
                    .thenAccept(
                        item -> {
                          found.tasks().add(item);
                          chars.addAndGet(resultChars(item));
                        });
              });
    }
    return last.thenApply(done -> found);
  }

  private static int resultChars(TaskItem item) {
    return item.result() == null
        ? 0
        : item.result().stdout().length() + item.result().stderr().length();
  }

  private CompletableFuture<TaskItem> withResult(Task task) {
    if (!task.state().isTerminal()) {
      return CompletableFuture.completedFuture(TaskMapper.task(task));
    }
    return framework
        .result(task.id())
        .thenApply(result -> TaskMapper.task(task, result, framework.location(task)));
  }

  @Override
  public CompletableFuture<ReadResult> read(ReadParams params) {
    return answer(
        () -> {
          required("params", params);
          long offset = Math.max(0, params.offset() == null ? 0 : params.offset());
          int length =
              params.length() == null ? MAX_READ : Math.max(0, Math.min(MAX_READ, params.length()));
          String path = required("path", params.path());
          TaskId id = new TaskId(params.id());
          return framework
              .read(
                  id,
                  sandbox ->
                      new ReadResult(
                          Base64.getEncoder().encodeToString(sandbox.read(path, offset, length)),
                          offset,
                          sandbox.size(path)))
              .thenApply(found -> found.orElseThrow(() -> unknown(id)));
        });
  }

  private static ResponseErrorException unknown(TaskId id) {
    return ErrorCode.UNKNOWN_TASK.exception("no task has the id " + id, null);
  }

  @Override
  public void watch(IdsParams params) {
    try {
      framework.watch(Set.copyOf(ids(params)));
    } catch (ResponseErrorException | InvalidBlockException e) {
      log.warn("task/watch: {}", e.getMessage());
    }
  }

  @Override
  public CompletableFuture<FilesResult> files(FilesParams params) {
    return answer(
        () -> {
          required("params", params);
          TaskId id = new TaskId(params.id());
          String path = params.path() == null ? "" : params.path();
          return framework
              .read(
                  id,
                  sandbox ->
                      new FilesResult(
                          sandbox.list(path).stream()
                              .map(
                                  entry ->
                                      new FileItem(
                                          entry.path(),
                                          entry.size(),
                                          entry.modified().toEpochMilli(),
                                          entry.directory(),
                                          entry.link().orElse(null)))
                              .toList(),
                          sandbox.location()))
              .thenApply(found -> found.orElseThrow(() -> unknown(id)));
        });
  }

  @Override
  public CompletableFuture<Ids> forget(IdsParams params) {
    return answer(
        () ->
            framework
                .delete(ids(params))
                .thenApply(deleted -> new Ids(deleted.stream().map(TaskId::value).toList())));
  }

  @Override
  public CompletableFuture<SessionsResult> sessions(Empty params) {
    return answer(
        () ->
            framework
                .sessions()
                .thenApply(
                    sessions ->
                        new SessionsResult(sessions.stream().map(TaskMapper::session).toList())));
  }

  @Override
  public CompletableFuture<Empty> endSessions(SessionParams params) {
    return answer(
        () ->
            framework
                .endSessions(required("names", params == null ? null : params.names()))
                .thenApply(unused -> new Empty()));
  }

  @Override
  public CompletableFuture<AgentsResult> agents(Empty params) {
    return answer(
        () ->
            framework
                .agents()
                .thenCompose(agents -> all(agents.stream().map(this::withMetrics).toList()))
                .thenApply(AgentsResult::new));
  }

  private CompletableFuture<AgentItem> withMetrics(Agent agent) {
    return framework.metrics(agent).thenApply(metrics -> TaskMapper.agent(agent, metrics));
  }

  private static <T> CompletableFuture<List<T>> all(List<CompletableFuture<T>> futures) {
    return CompletableFuture.allOf(futures.toArray(new CompletableFuture<?>[0]))
        .thenApply(unused -> futures.stream().map(CompletableFuture::join).toList());
  }

  @Override
  public CompletableFuture<PageResult> page(IdParams params) {
    return answer(
        () ->
            framework
                .page(new TaskId(required("id", params == null ? null : params.id())))
                .thenApply(url -> new PageResult(url.orElse(null))));
  }

  @Override
  public CompletableFuture<OffersResult> offers(Empty params) {
    return answer(
        () ->
            framework
                .offers()
                .thenApply(
                    notes -> new OffersResult(notes.stream().map(TaskMapper::offer).toList())));
  }
}

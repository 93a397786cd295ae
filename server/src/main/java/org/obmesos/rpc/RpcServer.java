// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.eclipse.lsp4j.jsonrpc.RemoteEndpoint;
import org.eclipse.lsp4j.jsonrpc.ResponseErrorException;
import org.eclipse.lsp4j.jsonrpc.json.JsonRpcMethod;
import org.eclipse.lsp4j.jsonrpc.json.MessageJsonHandler;
import org.eclipse.lsp4j.jsonrpc.json.StreamMessageConsumer;
import org.eclipse.lsp4j.jsonrpc.messages.ResponseError;
import org.eclipse.lsp4j.jsonrpc.messages.ResponseErrorCode;
import org.eclipse.lsp4j.jsonrpc.services.ServiceEndpoints;
import org.obmesos.api.Messages.InitializeResult;
import org.obmesos.scheduler.Framework;
import org.obmesos.scheduler.FrameworkListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Serves one client on a pair of streams. */
public final class RpcServer {
  private static final Logger log = LoggerFactory.getLogger(RpcServer.class);
  private static final int BUFFER = 64 * 1024;

  /** Longer than {@link Framework#finish} waits. */
  private static final int FINISH_SECONDS = 12;

  private final InitializeResult introduction;
  private final MessageJsonHandler json;
  private final Outbox outbox;
  private BlockEndpoint service;
  private Frames frames;
  private boolean exited;

  private RpcServer(OutputStream out, InitializeResult introduction, Runnable terminate) {
    Map<String, JsonRpcMethod> methods = new LinkedHashMap<>();
    methods.putAll(ServiceEndpoints.getSupportedMethods(BlockService.class));
    methods.putAll(ServiceEndpoints.getSupportedMethods(EmacsClient.class));
    this.introduction = introduction;
    this.json = new MessageJsonHandler(methods);
    this.outbox =
        new Outbox(
            new StreamMessageConsumer(new BufferedOutputStream(out, BUFFER), json),
            introduction.master(),
            terminate);
  }

  /**
   * Serves until the client sends {@code exit} or its stream ends. The framework is created here,
   * because it reports to the client.
   *
   * @param introduction the result of {@code initialize}
   * @param start creates and starts the framework for a listener
   * @param terminate ends the process, after the store was lost
   * @return whether the end was orderly: after {@code shutdown}, or at the end of the stream
   */
  public static boolean serve(
      InputStream in,
      OutputStream out,
      InitializeResult introduction,
      Function<FrameworkListener, Framework> start,
      Runnable terminate) {
    RpcServer server = new RpcServer(out, introduction, terminate);
    try (Outbox outbox = server.outbox;
        Framework framework = start.apply(outbox)) {
      return server.listen(in, framework);
    }
  }

  private boolean listen(InputStream in, Framework framework) {
    service = new BlockEndpoint(framework, introduction, outbox::initialized, this::exit);
    RemoteEndpoint endpoint =
        new RemoteEndpoint(outbox, ServiceEndpoints.toEndpoint(service), RpcServer::unexpected);
    json.setMethodProvider(endpoint);
    frames = new Frames(new BufferedInputStream(in, BUFFER), json, outbox);
    frames.listen(endpoint);
    finish();
    return !exited || service.isShutDown();
  }

  /** Waits for what {@code shutdown} requested, even if the client is gone. */
  private void finish() {
    try {
      service.finished().get(FINISH_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      log.warn("tasks may not have been killed: {}", e.toString());
    }
  }

  private void exit() {
    exited = true;
    frames.close();
  }

  /** The client gets a message; the stack trace goes to the log. */
  private static ResponseError unexpected(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException
            || cause instanceof java.lang.reflect.InvocationTargetException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof ResponseErrorException error) {
      return error.getResponseError();
    }
    log.error("unexpected exception in a request", failure);
    return new ResponseError(
        ResponseErrorCode.InternalError, "unexpected error; see the log of the server", null);
  }
}

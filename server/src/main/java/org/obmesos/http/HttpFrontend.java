// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.obmesos.scheduler.Framework;
import org.obmesos.scheduler.FrameworkListener;
import org.obmesos.scheduler.ListenerPair;
import org.obmesos.store.Store;
import org.obmesos.task.TaskId;
import org.obmesos.util.NamedExecutors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP server. It listens from its creation on, so that an address that cannot be used is known
 * before anything else is started, and answers once it is opened.
 */
public final class HttpFrontend implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(HttpFrontend.class);

  /** The largest document, in bytes. */
  static final int MAX_BODY = 1 << 20;

  /** How much of a refused request is read and dropped, so that the client reads the answer. */
  private static final int MAX_DRAIN = 64 << 20;

  /** The same for a client without a token. */
  private static final int MAX_UNAUTHENTICATED_DRAIN = 64 << 10;

  private static final int BACKLOG = 1024;

  /** Clients without a token that do not finish their requests take threads, too. */
  private static final int MAX_THREADS = 512;

  /**
   * The headers of every answer. A connection serves one request: the JDK's server closes idle
   * connections, and a request sent at that moment would be lost.
   */
  private static final Map<String, String> HEADERS =
      Map.of(
          "Connection", "close",
          "X-Content-Type-Options", "nosniff",
          "Cache-Control", "no-store",
          "Referrer-Policy", "no-referrer",
          "Content-Security-Policy",
              "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
                  + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'");

  private final HttpFrontendOptions options;
  private final HttpServer server;
  private final ExecutorService threads = NamedExecutors.bounded("http", MAX_THREADS);
  private final Events events = new Events(this::ended, this::deleted);
  private final RequestMetrics metrics = new RequestMetrics();
  private final RequestAuthenticator authenticator;
  private volatile Optional<DocumentService> documents = Optional.empty();

  /**
   * Creates a server that listens.
   *
   * @throws IOException if the address cannot be listened at
   */
  public HttpFrontend(HttpFrontendOptions options) throws IOException {
    setLimit("sun.net.httpserver.maxReqTime", 30);
    setLimit("sun.net.httpserver.maxRspTime", 600);
    System.setProperty("sun.net.httpserver.nodelay", "true");
    this.options = options;
    authenticator = new RequestAuthenticator(options.token());
    server = HttpServer.create(options.address(), BACKLOG);
    server.setExecutor(threads);
  }

  /** The JDK's server reads its limits from system properties, once. */
  private static void setLimit(String name, int seconds) {
    if (System.getProperty(name) == null) {
      System.setProperty(name, Integer.toString(seconds));
    }
  }

  /** Returns its address, as a URL. */
  public String url() {
    String host = options.address().getAddress().getHostAddress();
    return "http://%s:%d/"
        .formatted(host.contains(":") ? "[" + host + "]" : host, server.getAddress().getPort());
  }

  /** Returns a listener that reports to this server and to another listener. */
  public FrameworkListener alongside(FrameworkListener other) {
    return new ListenerPair(other, events);
  }

  private void ended(TaskId id) {
    documents.ifPresent(service -> service.ended(id));
  }

  private void deleted(Collection<TaskId> ids) {
    documents.ifPresent(service -> service.tasksDeleted(ids));
  }

  /**
   * Starts to answer.
   *
   * @param product the name and version of the server
   */
  public void open(String product, Framework framework, Store store) {
    DocumentService service = new DocumentService(framework, store);
    documents = Optional.of(service);
    Routes routes = new Routes(product, framework, service, events, metrics);
    server.createContext("/", exchange -> serve(exchange, routes));
    server.start();
  }

  /** Answers every request, whatever happens, with a status and a sentence. */
  private void serve(HttpExchange exchange, Routes routes) throws IOException {
    try (exchange) {
      // If the client closes the connection.
      int status = 400;
      try {
        String path = exchange.getRequestURI().getPath();
        authenticator.check(path, exchange.getRequestHeaders());
        Optional<Routes.Streamed> stream = routes.stream(exchange.getRequestMethod(), path);
        if (stream.isPresent()) {
          status = 200;
          stream(exchange, stream.get());
        } else {
          status = send(exchange, routes.answer(request(exchange, path)));
        }
      } catch (HttpException e) {
        boolean unauthenticated = e.reply().status() == 401 || e.reply().status() == 403;
        drain(exchange.getRequestBody(), unauthenticated ? MAX_UNAUTHENTICATED_DRAIN : MAX_DRAIN);
        status = send(exchange, e.reply());
      } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
        log.error("unexpected error in a request", e);
        status = send(exchange, Reply.text(500, "Unexpected error; see the log of the server\n"));
      } finally {
        metrics.count(known(exchange.getRequestMethod()), status);
      }
    }
  }

  /** The number of labels of a metric must be bounded. */
  private static String known(String method) {
    return switch (method) {
      case "GET", "HEAD", "POST", "DELETE" -> method;
      default -> "other";
    };
  }

  private static Routes.Request request(HttpExchange exchange, String path) {
    String method = exchange.getRequestMethod().toUpperCase(Locale.ROOT);
    String accept = exchange.getRequestHeaders().getFirst("Accept");
    return new Routes.Request() {
      @Override
      public String method() {
        return method.equals("HEAD") ? "GET" : method;
      }

      @Override
      public String path() {
        return path;
      }

      @Override
      public String accept() {
        return accept == null ? "" : accept;
      }

      @Override
      public byte[] body() throws IOException {
        return HttpFrontend.body(exchange);
      }
    };
  }

  private static byte[] body(HttpExchange exchange) throws IOException {
    String header = exchange.getRequestHeaders().getFirst("Content-Length");
    long length = header == null ? -1 : Long.parseLong(header);
    byte[] body =
        length > MAX_BODY ? new byte[0] : exchange.getRequestBody().readNBytes(MAX_BODY + 1);
    if (Math.max(length, body.length) > MAX_BODY) {
      throw new HttpException(413, "A document has at most %d bytes".formatted(MAX_BODY));
    }
    if (length > body.length) {
      throw new HttpException(400, "The document is incomplete");
    }
    return body;
  }

  private static void drain(InputStream body, int limit) throws IOException {
    byte[] buffer = new byte[8192];
    long drained = 0;
    for (int read = 0; read >= 0 && drained < limit; drained += read) {
      read = body.read(buffer);
    }
  }

  private static void setHeaders(Headers headers, String type, Map<String, String> more) {
    HEADERS.forEach(headers::set);
    headers.set("Content-Type", type);
    more.forEach(headers::set);
  }

  private static int send(HttpExchange exchange, Reply reply) throws IOException {
    setHeaders(exchange.getResponseHeaders(), reply.type(), reply.headers());
    byte[] body = reply.body().getBytes(StandardCharsets.UTF_8);
    boolean empty = exchange.getRequestMethod().equals("HEAD") || body.length == 0;
    exchange.sendResponseHeaders(reply.status(), empty ? -1 : body.length);
    if (!empty) {
      exchange.getResponseBody().write(body);
    }
    return reply.status();
  }

  private void stream(HttpExchange exchange, Routes.Streamed streamed) throws IOException {
    events.stream(
        streamed.filter(),
        streamed.initial(),
        () -> {
          setHeaders(exchange.getResponseHeaders(), "text/event-stream", Map.of());
          exchange.sendResponseHeaders(200, 0);
          return exchange.getResponseBody();
        });
  }

  /** Stops to answer. */
  @Override
  public void close() {
    events.close();
    server.stop(0);
    threads.shutdownNow();
    try {
      if (!threads.awaitTermination(2, TimeUnit.SECONDS)) {
        log.info("some clients are still connected");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

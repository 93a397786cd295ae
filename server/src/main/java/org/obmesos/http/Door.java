// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.obmesos.driver.Threads;
import org.obmesos.scheduler.Framework;
import org.obmesos.scheduler.FrameworkListener;
import org.obmesos.store.Store;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP server. It listens from its making on, so that an address that cannot be had is known
 * before anything else is begun, and answers once it is opened.
 */
public final class Door implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Door.class);

  /** The largest document, in bytes. */
  static final int LARGEST_BODY = 1 << 20;

  /** How much of a larger one is taken in, and thrown away, so that the client reads the answer. */
  private static final int LARGEST_WASTE = 64 << 20;

  /** How many can come at once without being told to come again. */
  private static final int BACKLOG = 1024;

  /** A slow client holds one; so many are not all there are. */
  private static final int THREADS = 128;

  /**
   * What every answer has. A connection is for one request: the JDK's server closes those that wait
   * for a next one as it sees fit, and a document that was sent over one just then would be lost.
   */
  private static final Map<String, String> ALWAYS =
      Map.of(
          "Connection", "close",
          "X-Content-Type-Options", "nosniff",
          "Cache-Control", "no-store",
          "Referrer-Policy", "no-referrer",
          "Content-Security-Policy",
              "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
                  + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'");

  private final DoorOptions options;
  private final HttpServer server;
  private final ExecutorService threads = Threads.several("http", THREADS);
  private final Events events = new Events();
  private final Metrics metrics = new Metrics();
  private final Guard guard;

  /**
   * Makes one.
   *
   * @throws IOException if the address cannot be listened at
   */
  public Door(DoorOptions options) throws IOException {
    limit("sun.net.httpserver.maxReqTime", 30);
    limit("sun.net.httpserver.maxRspTime", 600);
    System.setProperty("sun.net.httpserver.nodelay", "true");
    this.options = options;
    guard = new Guard(options.token());
    server = HttpServer.create(options.address(), BACKLOG);
    server.setExecutor(threads);
  }

  /** The JDK's server knows no other way to be told, and it is read once. */
  private static void limit(String name, int seconds) {
    if (System.getProperty(name) == null) {
      System.setProperty(name, Integer.toString(seconds));
    }
  }

  /** Where it is. */
  public String url() {
    String host = options.address().getAddress().getHostAddress();
    return "http://%s:%d/"
        .formatted(host.contains(":") ? "[" + host + "]" : host, server.getAddress().getPort());
  }

  /** What a framework is to tell, if another wants to hear of it too. */
  public FrameworkListener alongside(FrameworkListener other) {
    return new FrameworkListener() {
      @Override
      public void status(Task task) {
        other.status(task);
        events.status(task);
      }

      @Override
      public void output(TaskId id, String tail, long size) {
        other.output(id, tail, size);
        events.output(id, tail, size);
      }

      @Override
      public void cluster(boolean connected, String message) {
        other.cluster(connected, message);
        events.cluster(connected, message);
      }

      @Override
      public void warning(String message) {
        other.warning(message);
      }
    };
  }

  /**
   * Begins to answer.
   *
   * @param product the server's name and version
   */
  public void open(String product, Framework framework, Store store) {
    Library library = new Library(framework, store);
    events.whenEnded(library::ended);
    Routes routes = new Routes(product, framework, library, events, metrics);
    server.createContext("/", exchange -> serve(exchange, routes));
    server.start();
  }

  private void serve(HttpExchange exchange, Routes routes) throws IOException {
    try (exchange) {
      // If the client breaks off in the middle.
      int status = 400;
      try {
        String path = exchange.getRequestURI().getPath();
        guard.check(path, exchange.getRequestHeaders());
        Optional<Routes.Streamed> stream = routes.stream(exchange.getRequestMethod(), path);
        if (stream.isPresent()) {
          status = 200;
          stream(exchange, stream.get());
        } else {
          status = send(exchange, routes.answer(request(exchange, path)));
        }
      } catch (Refusal e) {
        waste(exchange.getRequestBody());
        status = send(exchange, e.reply());
      } catch (RuntimeException e) {
        log.error("a request met a fault", e);
        status = send(exchange, Reply.text(500, "The server met a fault; its log says more\n"));
      } finally {
        metrics.answered(known(exchange.getRequestMethod()), status);
      }
    }
  }

  /** What a client makes up does not become a figure of its own. */
  private static String known(String method) {
    return switch (method) {
      case "GET", "HEAD", "POST", "DELETE" -> method;
      default -> "other";
    };
  }

  private static Routes.Request request(HttpExchange exchange, String path) {
    String asked = exchange.getRequestMethod().toUpperCase(Locale.ROOT);
    String wish = exchange.getRequestHeaders().getFirst("Accept");
    return new Routes.Request() {
      @Override
      public String method() {
        return asked.equals("HEAD") ? "GET" : asked;
      }

      @Override
      public String path() {
        return path;
      }

      @Override
      public String accept() {
        return wish == null ? "" : wish;
      }

      @Override
      public byte[] body() throws IOException {
        return Door.body(exchange);
      }
    };
  }

  private static byte[] body(HttpExchange exchange) throws IOException {
    String said = exchange.getRequestHeaders().getFirst("Content-Length");
    long length = said == null ? -1 : Long.parseLong(said);
    byte[] body =
        length > LARGEST_BODY
            ? new byte[0]
            : exchange.getRequestBody().readNBytes(LARGEST_BODY + 1);
    if (Math.max(length, body.length) > LARGEST_BODY) {
      throw new Refusal(413, "A document has at most %d bytes".formatted(LARGEST_BODY));
    }
    if (length > body.length) {
      throw new Refusal(400, "The document ends in the middle");
    }
    return body;
  }

  private static void waste(InputStream rest) throws IOException {
    byte[] away = new byte[8192];
    long wasted = 0;
    for (int read = 0; read >= 0 && wasted < LARGEST_WASTE; wasted += read) {
      read = rest.read(away);
    }
  }

  private static void headers(Headers headers, String type, Map<String, String> more) {
    ALWAYS.forEach(headers::set);
    headers.set("Content-Type", type);
    more.forEach(headers::set);
  }

  private static int send(HttpExchange exchange, Reply reply) throws IOException {
    headers(exchange.getResponseHeaders(), reply.type(), reply.headers());
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
        streamed.wanted(),
        streamed.now(),
        () -> {
          headers(exchange.getResponseHeaders(), "text/event-stream", Map.of());
          exchange.sendResponseHeaders(200, 0);
          return exchange.getResponseBody();
        });
  }

  /** Answers no more. */
  @Override
  public void close() {
    events.close();
    server.stop(0);
    threads.shutdownNow();
    try {
      if (!threads.awaitTermination(2, TimeUnit.SECONDS)) {
        log.info("some clients are slow to go");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

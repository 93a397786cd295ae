// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.obmesos.api.Messages.TaskItem;
import org.obmesos.api.TaskMapper;
import org.obmesos.document.HtmlView;
import org.obmesos.document.InvalidDocumentException;
import org.obmesos.document.OrgDocument;
import org.obmesos.scheduler.Framework;
import org.obmesos.store.StoreException;
import org.obmesos.store.StoredDocument;
import org.obmesos.task.InvalidBlockException;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.obmesos.task.TaskState;

/** The requests and their answers, which docs/http.org describes. */
final class Routes {
  /** The longest time to wait for the framework. */
  private static final int TIMEOUT_SECONDS = 30;

  private static final Pattern DOCUMENT = Pattern.compile("/org/([a-z2-7]+)(\\.org|\\.html)?");
  private static final Pattern DOCUMENT_EVENTS = Pattern.compile("/org/([a-z2-7]+)/events");
  private static final Pattern TASK =
      Pattern.compile("/tasks/([A-Za-z0-9_-][A-Za-z0-9._-]{0,199})");
  private static final Map<String, String> FILES =
      Map.of("/page.js", "text/javascript; charset=utf-8", "/page.css", "text/css; charset=utf-8");

  private final String product;
  private final Framework framework;
  private final DocumentService documents;
  private final Events events;
  private final RequestMetrics metrics;

  /**
   * Creates the routes.
   *
   * @param product the name and version of the server
   */
  Routes(
      String product,
      Framework framework,
      DocumentService documents,
      Events events,
      RequestMetrics metrics) {
    this.product = product;
    this.framework = framework;
    this.documents = documents;
    this.events = events;
    this.metrics = metrics;
  }

  /** A request. */
  interface Request {
    String method();

    String path();

    /** Returns its Accept header, or an empty string. */
    String accept();

    /** Reads its body. */
    byte[] body() throws IOException;
  }

  /**
   * A stream of events.
   *
   * @param filter selects its tasks
   * @param initial returns the tasks of its initial state
   */
  record Streamed(Predicate<TaskId> filter, Events.Snapshot initial) {}

  /** Returns the stream a path names; empty if it names none. */
  Optional<Streamed> stream(String method, String path) {
    Matcher matcher = DOCUMENT_EVENTS.matcher(path);
    if (matcher.matches() && only(method, "GET")) {
      SubmittedDocument document = document(matcher.group(1));
      Set<TaskId> ids = Set.copyOf(document.taskIds());
      return Optional.of(new Streamed(ids::contains, () -> await(documents.tasks(document))));
    }
    if (path.equals("/events") && only(method, "GET")) {
      return Optional.of(
          new Streamed(
              id -> true,
              () ->
                  await(framework.list()).stream()
                      .filter(task -> !task.state().isTerminal())
                      .toList()));
    }
    return Optional.empty();
  }

  private static boolean only(String method, String... allowed) {
    if (!List.of(allowed).contains(method)) {
      String all = String.join(", ", allowed);
      throw new HttpException(405, "Only " + all + " is allowed here", Map.of("Allow", all));
    }
    return true;
  }

  /** Answers a request. */
  Reply answer(Request request) throws IOException {
    String path = request.path();
    Matcher document = DOCUMENT.matcher(path);
    Matcher task = TASK.matcher(path);
    if (path.equals("/org") || path.equals("/org/")) {
      only(request.method(), "GET", "POST");
      return request.method().equals("POST") ? post(request) : list();
    }
    if (document.matches()) {
      return document(request.method(), document.group(1), document.group(2));
    }
    only(request.method(), "GET");
    if (task.matches()) {
      return task(new TaskId(task.group(1)));
    }
    return switch (path) {
      case "/" -> home(request.accept());
      case "/page.js", "/page.css" -> file(path);
      case "/healthz" -> Reply.text(200, "OK\n");
      case "/varz" ->
          Reply.ofJson(metrics.json(await(framework.countByState()), documents.size(), events));
      case "/metrics" ->
          Reply.of(
              200,
              RequestMetrics.TYPE,
              metrics.text(await(framework.countByState()), documents.size(), events));
      case "/tasks" -> tasks();
      default -> throw HttpException.notFound("such page");
    };
  }

  private Reply home(String accept) throws IOException {
    return accept.contains("text/html")
        ? page("/page.html", Reply.HTML)
        : Reply.text(200, product + "\n");
  }

  private static Reply file(String path) throws IOException {
    return page(path, FILES.get(path));
  }

  private static Reply page(String name, String type) throws IOException {
    try (InputStream file = Routes.class.getResourceAsStream("/org/obmesos/http" + name)) {
      return Reply.of(200, type, new String(file.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  private Reply post(Request request) throws IOException {
    try {
      String text = decoded(request.body());
      SubmittedDocument document = await(documents.post(text));
      Map<String, String> where = Map.of("Location", "/org/" + document.id());
      if (request.accept().contains("application/json")) {
        Reply reply = described(document);
        return new Reply(201, reply.type(), reply.body(), where);
      }
      return Reply.text(
              201, "Scheduled %d code blocks for execution\n".formatted(document.blocks().size()))
          .with(where);
    } catch (InvalidDocumentException | InvalidBlockException e) {
      throw new HttpException(400, e.getMessage());
    }
  }

  private static String decoded(byte[] body) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
    } catch (CharacterCodingException e) {
      throw new HttpException(400, "The document is not in UTF-8");
    }
  }

  private Reply list() {
    // The documents first, so that the tasks of each are stored.
    List<SubmittedDocument> all = await(documents.list());
    Map<String, List<Task>> tasks =
        await(framework.list()).stream()
            .collect(Collectors.groupingBy(task -> SubmittedDocument.idOf(task).orElse("")));
    List<Object> rows = new ArrayList<>();
    for (SubmittedDocument document : all) {
      List<Task> its = tasks.getOrDefault(document.id(), List.of());
      Map<String, Object> about = described(document, its);
      about.put("tasks", its.size());
      rows.add(about);
    }
    return Reply.ofJson(Map.of("documents", rows));
  }

  private Reply described(SubmittedDocument document) {
    List<Task> tasks = await(documents.tasks(document));
    Map<String, Object> about = described(document, tasks);
    about.put("tasks", tasks.stream().map(TaskMapper::task).toList());
    return Reply.ofJson(about);
  }

  private static Map<String, Object> described(SubmittedDocument document, List<Task> tasks) {
    Map<String, Object> about = new LinkedHashMap<>();
    about.put("id", document.id());
    about.put("title", document.title());
    about.put("submitted", document.submitted().toEpochMilli());
    about.put("state", state(tasks));
    about.put("blocks", document.blocks().size());
    return about;
  }

  private static String state(List<Task> tasks) {
    if (!tasks.stream().allMatch(task -> task.state().isTerminal())) {
      return "RUNNING";
    }
    return tasks.stream().allMatch(task -> task.state() == TaskState.FINISHED)
        ? "FINISHED"
        : "FAILED";
  }

  private SubmittedDocument document(String id) {
    return await(documents.get(id)).orElseThrow(() -> HttpException.notFound("document " + id));
  }

  private Reply document(String method, String id, String form) {
    if (form == null) {
      only(method, "GET", "DELETE");
    } else {
      only(method, "GET");
    }
    if (method.equals("DELETE")) {
      if (!await(documents.delete(id))) {
        throw HttpException.notFound("document " + id);
      }
      return Reply.text(204, "");
    }
    SubmittedDocument document = document(id);
    if (form == null) {
      return described(document);
    }
    StoredDocument stored =
        await(documents.stored(document))
            .orElseThrow(() -> HttpException.notFound("document " + id));
    // One at a time: the results can be large.
    synchronized (this) {
      String text = DocumentService.withResults(document, stored, formatter(document));
      return form.equals(".org")
          ? Reply.text(200, text)
          : Reply.of(200, Reply.HTML, HtmlView.of(OrgDocument.read(text)));
    }
  }

  private ResultFormatter formatter(SubmittedDocument document) {
    Map<TaskId, Task> tasks =
        await(documents.tasks(document)).stream()
            .collect(Collectors.toMap(Task::id, Function.identity()));
    return new ResultFormatter(tasks, id -> await(framework.result(id)), events.tails());
  }

  private Reply tasks() {
    List<TaskItem> items = await(framework.list()).stream().map(TaskMapper::task).toList();
    return Reply.ofJson(Map.of("tasks", items));
  }

  private Reply task(TaskId id) {
    Task task =
        await(framework.get(List.of(id))).stream()
            .findFirst()
            .orElseThrow(() -> HttpException.notFound("task " + id));
    Optional<TaskResult> result =
        task.state().isTerminal() ? await(framework.result(id)) : Optional.empty();
    return Reply.ofJson(TaskMapper.task(task, result, ""));
  }

  private static <T> T await(CompletableFuture<T> future) {
    try {
      return future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HttpException(503, "The server is shutting down");
    } catch (TimeoutException e) {
      throw new HttpException(503, "The server is busy; a request can still take effect");
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      if (cause instanceof CompletionException && cause.getCause() != null) {
        cause = cause.getCause();
      }
      if (cause instanceof StoreException) {
        throw new HttpException(503, "Nothing was done: " + cause.getMessage());
      }
      if (cause instanceof RuntimeException known) {
        throw known;
      }
      throw new IllegalStateException(cause);
    }
  }
}

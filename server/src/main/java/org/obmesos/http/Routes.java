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
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.obmesos.document.HtmlView;
import org.obmesos.document.InvalidDocumentException;
import org.obmesos.document.OrgDocument;
import org.obmesos.rpc.Items;
import org.obmesos.rpc.Messages.TaskItem;
import org.obmesos.scheduler.Framework;
import org.obmesos.task.InvalidBlockException;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.obmesos.task.TaskState;

/** What can be asked, and what is answered; docs/http.org describes each. */
final class Routes {
  /** The longest that anything is waited for. */
  private static final int PATIENCE_SECONDS = 30;

  private static final Pattern DOCUMENT = Pattern.compile("/org/([a-z2-7]+)(\\.org|\\.html)?");
  private static final Pattern DOCUMENT_EVENTS = Pattern.compile("/org/([a-z2-7]+)/events");
  private static final Pattern TASK = Pattern.compile("/tasks/([A-Za-z0-9_-][A-Za-z0-9._-]*)");
  private static final Map<String, String> FILES =
      Map.of("/page.js", "text/javascript; charset=utf-8", "/page.css", "text/css; charset=utf-8");

  private final String product;
  private final Framework framework;
  private final Library library;
  private final Events events;
  private final Metrics metrics;

  /**
   * Makes them.
   *
   * @param product the server's name and version
   */
  Routes(String product, Framework framework, Library library, Events events, Metrics metrics) {
    this.product = product;
    this.framework = framework;
    this.library = library;
    this.events = events;
    this.metrics = metrics;
  }

  /** What a request is. */
  interface Request {
    String method();

    String path();

    /** What the client says it would like. */
    String accept();

    /** All that was sent with it. */
    byte[] body() throws IOException;
  }

  /** Which tasks a stream is about, and which there are now; empty if the path is no stream's. */
  record Streamed(Predicate<TaskId> wanted, Events.Snapshot now) {}

  Optional<Streamed> stream(String method, String path) {
    Matcher document = DOCUMENT_EVENTS.matcher(path);
    if (document.matches() && only(method, "GET")) {
      Posting posting = posting(document.group(1));
      Set<TaskId> ids = Set.copyOf(posting.ids());
      return Optional.of(new Streamed(ids::contains, () -> await(library.tasks(posting))));
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
      throw new Refusal(405, "Only " + all + " here", Map.of("Allow", all));
    }
    return true;
  }

  /** The answer to a request. */
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
      case "/varz" -> Reply.ofJson(metrics.json(await(framework.list()), library.size(), events));
      case "/metrics" ->
          Reply.of(
              200, Metrics.TYPE, metrics.text(await(framework.list()), library.size(), events));
      case "/tasks" -> tasks();
      default -> throw Refusal.unknown("such page");
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
      Posting posting = await(library.post(text));
      Map<String, String> where = Map.of("Location", "/org/" + posting.id());
      if (request.accept().contains("application/json")) {
        Reply reply = described(posting);
        return new Reply(201, reply.type(), reply.body(), where);
      }
      return Reply.text(
              201, "Scheduled %d code blocks for execution\n".formatted(posting.parts().size()))
          .with(where);
    } catch (InvalidDocumentException | InvalidBlockException e) {
      throw new Refusal(400, e.getMessage());
    }
  }

  private static String decoded(byte[] body) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
    } catch (CharacterCodingException e) {
      throw new Refusal(400, "The document is not in UTF-8");
    }
  }

  private Reply list() {
    // The documents first, so that each has its tasks by then.
    List<Posting> postings = await(library.list());
    Map<String, List<Task>> tasks =
        await(framework.list()).stream()
            .collect(Collectors.groupingBy(task -> Posting.of(task).orElse("")));
    List<Object> documents = new ArrayList<>();
    for (Posting posting : postings) {
      List<Task> its = tasks.getOrDefault(posting.id(), List.of());
      Map<String, Object> about = described(posting, its);
      about.put("tasks", its.size());
      documents.add(about);
    }
    return Reply.ofJson(Map.of("documents", documents));
  }

  private Reply described(Posting posting) {
    List<Task> tasks = await(library.tasks(posting));
    Map<String, Object> about = described(posting, tasks);
    about.put("tasks", tasks.stream().map(task -> Items.task(task, Optional.empty(), "")).toList());
    return Reply.ofJson(about);
  }

  private static Map<String, Object> described(Posting posting, List<Task> tasks) {
    Map<String, Object> about = new LinkedHashMap<>();
    about.put("id", posting.id());
    about.put("title", posting.title());
    about.put("submitted", posting.submitted().toEpochMilli());
    about.put("state", state(tasks));
    about.put("blocks", posting.parts().size());
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

  private Posting posting(String id) {
    return await(library.get(id)).orElseThrow(() -> Refusal.unknown("document " + id));
  }

  private Reply document(String method, String id, String form) {
    if (form == null) {
      only(method, "GET", "DELETE");
    } else {
      only(method, "GET");
    }
    if (method.equals("DELETE")) {
      if (!await(library.delete(id))) {
        throw Refusal.unknown("document " + id);
      }
      return Reply.text(204, "");
    }
    Posting posting = posting(id);
    if (form == null) {
      return described(posting);
    }
    String text =
        await(library.withResults(posting, events.tails()))
            .orElseThrow(() -> Refusal.unknown("document " + id));
    return form.equals(".org")
        ? Reply.text(200, text)
        : Reply.of(200, Reply.HTML, HtmlView.of(OrgDocument.read(text)));
  }

  private Reply tasks() {
    List<TaskItem> items =
        await(framework.list()).stream()
            .map(task -> Items.task(task, Optional.empty(), ""))
            .toList();
    return Reply.ofJson(Map.of("tasks", items));
  }

  private Reply task(TaskId id) {
    Task task =
        await(framework.get(List.of(id))).stream()
            .findFirst()
            .orElseThrow(() -> Refusal.unknown("task " + id));
    Optional<TaskResult> result =
        task.state().isTerminal() ? await(framework.result(id)) : Optional.empty();
    return Reply.ofJson(Items.task(task, result, ""));
  }

  private static <T> T await(CompletableFuture<T> future) {
    try {
      return future.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Refusal(503, "The server ends");
    } catch (TimeoutException e) {
      throw new Refusal(503, "The server is busy", Map.of("Retry-After", "10"));
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      if (cause instanceof CompletionException && cause.getCause() != null) {
        cause = cause.getCause();
      }
      if (cause instanceof RuntimeException known) {
        throw known;
      }
      throw new IllegalStateException(cause);
    }
  }
}

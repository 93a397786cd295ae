// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.obmesos.document.InvalidDocumentException;
import org.obmesos.document.OrgDocument;
import org.obmesos.document.Results;
import org.obmesos.scheduler.Framework;
import org.obmesos.store.Store;
import org.obmesos.store.StoredDocument;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The documents that were posted. One is in the store before its tasks are, and says there when
 * they are too: whatever dies in between, it is submitted again after the next start, and its tasks
 * are the same.
 */
final class Library {
  private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz234567";
  private static final int LETTERS_IN_ID = 12;

  private static final Logger log = LoggerFactory.getLogger(Library.class);

  private final SecureRandom random = new SecureRandom();
  private final Framework framework;
  private final Store store;
  private final Map<String, Posting> postings = new ConcurrentSkipListMap<>();
  private final Set<TaskId> leaving = ConcurrentHashMap.newKeySet();
  private final CompletableFuture<Void> loaded;

  Library(Framework framework, Store store) {
    this.framework = framework;
    this.store = store;
    this.loaded = store.documents().thenComposeAsync(this::load);
  }

  /** Goes on with what an earlier server has left. */
  private CompletableFuture<Void> load(List<StoredDocument> documents) {
    List<CompletableFuture<Void>> late = new ArrayList<>();
    Set<String> kept =
        documents.stream().map(StoredDocument::id).collect(Collectors.toUnmodifiableSet());
    for (StoredDocument document : documents) {
      try {
        Posting posting = read(document);
        if (!document.taken()) {
          late.add(submit(posting));
        }
        postings.put(posting.id(), posting.withoutBodies());
      } catch (InvalidDocumentException e) {
        log.warn("the document {} cannot be read any more: {}", document.id(), e.getMessage());
      }
    }
    return CompletableFuture.allOf(late.toArray(new CompletableFuture<?>[0]))
        .thenCompose(unused -> framework.list())
        .thenCompose(
            tasks ->
                end(
                    tasks.stream()
                        .filter(
                            task -> Posting.of(task).filter(id -> !kept.contains(id)).isPresent())
                        .toList()));
  }

  private static Posting read(StoredDocument document) {
    return Posting.read(document.id(), document.submitted(), OrgDocument.read(document.text()));
  }

  /**
   * Takes a document in.
   *
   * @return completes once it and its tasks are in the store
   * @throws InvalidDocumentException if it cannot be taken; then nothing of it is
   */
  CompletableFuture<Posting> post(String text) {
    if (!text.strip().contains("\n")) {
      throw new InvalidDocumentException(
          1,
          "there is no other; with curl, --data-binary @FILE keeps the lines that --data @FILE"
              + " joins");
    }
    Instant now = Instant.ofEpochMilli(Instant.now().toEpochMilli());
    StoredDocument document = new StoredDocument(newId(), now, text, false);
    Posting posting = read(document);
    if (posting.parts().isEmpty()) {
      throw new InvalidDocumentException(1, "there is no block to run in it");
    }
    // Says what is wrong before anything is written down.
    var unused = posting.toSubmit();
    return loaded
        .thenCompose(done -> store.keep(document))
        .thenCompose(done -> submit(posting))
        .thenApply(
            done -> {
              postings.put(posting.id(), posting.withoutBodies());
              return posting;
            });
  }

  private CompletableFuture<Void> submit(Posting posting) {
    return framework
        .submit(posting.toSubmit(), Map.of())
        .thenCompose(tasks -> store.taken(posting.id()))
        .exceptionallyCompose(
            failure ->
                store
                    .discard(posting.id())
                    .thenCompose(gone -> CompletableFuture.failedFuture(failure)));
  }

  private String newId() {
    StringBuilder id = new StringBuilder();
    for (int n = 0; n < LETTERS_IN_ID; n++) {
      id.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
    }
    return id.toString();
  }

  /** Those there are, the latest first. */
  CompletableFuture<List<Posting>> list() {
    return loaded.thenApply(
        unused -> {
          List<Posting> all = new ArrayList<>(postings.values());
          all.sort(Collections.reverseOrder(Comparator.comparing(Posting::submitted)));
          return all;
        });
  }

  /** How many there are, as far as they are known by now. */
  int size() {
    return postings.size();
  }

  /** The one with an id. */
  CompletableFuture<Optional<Posting>> get(String id) {
    return loaded.thenApply(unused -> Optional.ofNullable(postings.get(id)));
  }

  /** The tasks of one. */
  CompletableFuture<List<Task>> tasks(Posting posting) {
    return framework.get(posting.ids());
  }

  /** A document with its results, as text; empty if it is gone. */
  CompletableFuture<Optional<String>> withResults(Posting posting, Map<TaskId, String> tails) {
    return tasks(posting)
        .thenCompose(tasks -> shown(tasks, tails))
        .thenCombine(
            store.document(posting.id()),
            (shown, document) -> document.map(found -> withResults(posting, found, shown)));
  }

  private static String withResults(Posting posting, StoredDocument document, Shown shown) {
    Map<Integer, Posting.Part> parts =
        posting.parts().stream()
            .collect(Collectors.toMap(part -> part.source().begin(), Function.identity()));
    return Results.put(
        OrgDocument.read(document.text()),
        source -> Optional.ofNullable(parts.get(source.begin())).flatMap(shown::of));
  }

  private CompletableFuture<Shown> shown(List<Task> tasks, Map<TaskId, String> tails) {
    Map<TaskId, Task> known = new HashMap<>();
    tasks.forEach(task -> known.put(task.id(), task));
    Map<TaskId, TaskResult> results = new ConcurrentHashMap<>();
    return CompletableFuture.allOf(
            tasks.stream()
                .filter(task -> task.state().isTerminal())
                .map(
                    task ->
                        framework
                            .result(task.id())
                            .thenAccept(
                                found -> found.ifPresent(its -> results.put(task.id(), its))))
                .toArray(CompletableFuture<?>[]::new))
        .thenApply(unused -> new Shown(known, results, tails));
  }

  /**
   * Ends what a document runs, and forgets it with its tasks.
   *
   * @return whether it was there
   */
  CompletableFuture<Boolean> delete(String id) {
    return get(id)
        .thenCompose(
            found ->
                found.isEmpty()
                    ? CompletableFuture.completedFuture(false)
                    : store
                        .discard(id)
                        .thenCompose(
                            unused -> {
                              postings.remove(id);
                              return tasks(found.get());
                            })
                        .thenCompose(this::end)
                        .thenApply(unused -> true));
  }

  private CompletableFuture<Void> end(List<Task> tasks) {
    List<TaskId> ids = tasks.stream().map(Task::id).toList();
    leaving.addAll(ids);
    return framework
        .kill(ids)
        .thenCompose(unused -> framework.forget(ids))
        .thenAccept(leaving::removeAll);
  }

  /** A task has ended; if it was only waited for, it is forgotten. */
  void ended(TaskId id) {
    if (leaving.remove(id)) {
      var unused = framework.forget(List.of(id));
    }
  }
}

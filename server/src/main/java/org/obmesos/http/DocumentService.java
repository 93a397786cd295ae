// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
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
 * The posted documents. A document is stored before its tasks and marked when they are stored too;
 * after a crash in between it is submitted again, with the same task ids.
 */
final class DocumentService {
  private static final String ID_LETTERS = "abcdefghijklmnopqrstuvwxyz234567";
  private static final int ID_LENGTH = 12;
  private static final Logger log = LoggerFactory.getLogger(DocumentService.class);

  private final SecureRandom random = new SecureRandom();
  private final Framework framework;
  private final Store store;
  private final Map<String, SubmittedDocument> documents = new ConcurrentSkipListMap<>();

  /** The tasks of deleted documents that are deleted once they have ended. */
  private final Set<TaskId> toDelete = ConcurrentHashMap.newKeySet();

  private final CompletableFuture<Void> loaded;

  DocumentService(Framework framework, Store store) {
    this.framework = framework;
    this.store = store;
    this.loaded = store.documents().thenComposeAsync(this::load);
  }

  private CompletableFuture<Void> load(List<StoredDocument> stored) {
    List<CompletableFuture<Void>> submissions = new ArrayList<>();
    Set<String> ids =
        stored.stream().map(StoredDocument::id).collect(Collectors.toUnmodifiableSet());
    for (StoredDocument each : stored) {
      try {
        SubmittedDocument document = parse(each);
        if (!each.submitted()) {
          submissions.add(submit(document));
        }
        documents.put(document.id(), document.withoutBodies());
      } catch (InvalidDocumentException e) {
        log.warn("the document {} is not valid any more: {}", each.id(), e.getMessage());
      }
    }
    return CompletableFuture.allOf(submissions.toArray(new CompletableFuture<?>[0]))
        .thenCompose(unused -> framework.list())
        .thenCompose(
            tasks ->
                killAndDelete(
                    tasks.stream()
                        .filter(
                            task ->
                                SubmittedDocument.idOf(task)
                                    .filter(id -> !ids.contains(id))
                                    .isPresent())
                        .toList()));
  }

  private static SubmittedDocument parse(StoredDocument document) {
    return SubmittedDocument.parse(
        document.id(), document.time(), OrgDocument.read(document.text()));
  }

  /**
   * Submits a document.
   *
   * @return completes once the document and its tasks are stored
   * @throws InvalidDocumentException if it is not valid; then nothing of it is stored
   */
  CompletableFuture<SubmittedDocument> post(String text) {
    if (!text.strip().contains("\n")) {
      throw new InvalidDocumentException(
          1,
          "it is the only line; with curl, --data-binary @FILE keeps the lines that --data @FILE"
              + " joins");
    }
    Instant now = Instant.ofEpochMilli(Instant.now().toEpochMilli());
    StoredDocument stored = new StoredDocument(newId(), now, text, false);
    SubmittedDocument document = parse(stored);
    if (document.blocks().isEmpty()) {
      throw new InvalidDocumentException(1, "the document has no block to run");
    }
    // Validates the blocks before anything is stored.
    var unused = document.toBlocks();
    return loaded
        .thenCompose(done -> store.addDocument(stored))
        .thenCompose(done -> submit(document))
        .thenApply(
            done -> {
              documents.put(document.id(), document.withoutBodies());
              return document;
            });
  }

  private CompletableFuture<Void> submit(SubmittedDocument document) {
    return framework
        .submit(document.toBlocks(), Map.of())
        .thenCompose(tasks -> store.markSubmitted(document.id()))
        .exceptionallyCompose(
            failure ->
                store
                    .deleteDocument(document.id())
                    .thenCompose(done -> CompletableFuture.failedFuture(failure)));
  }

  private String newId() {
    StringBuilder id = new StringBuilder();
    for (int n = 0; n < ID_LENGTH; n++) {
      id.append(ID_LETTERS.charAt(random.nextInt(ID_LETTERS.length())));
    }
    return id.toString();
  }

  /** Returns all documents, the latest first. */
  CompletableFuture<List<SubmittedDocument>> list() {
    return loaded.thenApply(
        unused -> {
          List<SubmittedDocument> all = new ArrayList<>(documents.values());
          all.sort(Collections.reverseOrder(Comparator.comparing(SubmittedDocument::submitted)));
          return all;
        });
  }

  /** Returns the number of documents that are loaded. */
  int size() {
    return documents.size();
  }

  CompletableFuture<Optional<SubmittedDocument>> get(String id) {
    return loaded.thenApply(unused -> Optional.ofNullable(documents.get(id)));
  }

  /** Returns the tasks of a document. */
  CompletableFuture<List<Task>> tasks(SubmittedDocument document) {
    return framework.get(document.taskIds());
  }

  /** Returns the text of a document with its results; empty if it was deleted. */
  CompletableFuture<Optional<String>> withResults(
      SubmittedDocument document, Map<TaskId, String> tails) {
    return tasks(document)
        .thenCompose(tasks -> formatter(tasks, tails))
        .thenCombine(
            store.document(document.id()),
            (formatter, stored) -> stored.map(found -> withResults(document, found, formatter)));
  }

  private static String withResults(
      SubmittedDocument document, StoredDocument stored, ResultFormatter formatter) {
    Map<Integer, SubmittedDocument.SubmittedBlock> blocks =
        document.blocks().stream()
            .collect(Collectors.toMap(block -> block.source().begin(), Function.identity()));
    return Results.put(
        OrgDocument.read(stored.text()),
        source -> Optional.ofNullable(blocks.get(source.begin())).flatMap(formatter::format));
  }

  private CompletableFuture<ResultFormatter> formatter(
      List<Task> tasks, Map<TaskId, String> tails) {
    Map<TaskId, Task> byId = new HashMap<>();
    tasks.forEach(task -> byId.put(task.id(), task));
    Map<TaskId, TaskResult> results = new ConcurrentHashMap<>();
    return CompletableFuture.allOf(
            tasks.stream()
                .filter(task -> task.state().isTerminal())
                .map(
                    task ->
                        framework
                            .result(task.id())
                            .thenAccept(found -> found.ifPresent(it -> results.put(task.id(), it))))
                .toArray(CompletableFuture<?>[]::new))
        .thenApply(unused -> new ResultFormatter(byId, results, tails));
  }

  /**
   * Kills the tasks of a document and deletes them with it.
   *
   * @return whether the document was known
   */
  CompletableFuture<Boolean> delete(String id) {
    return get(id)
        .thenCompose(
            found ->
                found.isEmpty()
                    ? CompletableFuture.completedFuture(false)
                    : store
                        .deleteDocument(id)
                        .thenCompose(
                            unused -> {
                              documents.remove(id);
                              return tasks(found.get());
                            })
                        .thenCompose(this::killAndDelete)
                        .thenApply(unused -> true));
  }

  private CompletableFuture<Void> killAndDelete(List<Task> tasks) {
    List<TaskId> ids = tasks.stream().map(Task::id).toList();
    toDelete.addAll(ids);
    return framework
        .kill(ids)
        .thenCompose(unused -> framework.delete(ids))
        .thenAccept(toDelete::removeAll);
  }

  /** A task has ended; one of a deleted document is deleted too. */
  void ended(TaskId id) {
    if (toDelete.remove(id)) {
      var unused = framework.delete(List.of(id));
    }
  }

  /**
   * Ended tasks were deleted, because of their age or number; a document without tasks goes too.
   */
  void tasksDeleted(Collection<TaskId> ids) {
    Set<TaskId> deleted = Set.copyOf(ids);
    for (SubmittedDocument document : documents.values()) {
      if (document.taskIds().stream().anyMatch(deleted::contains)) {
        var unused = tasks(document).thenCompose(left -> deleteIfEmpty(document, left));
      }
    }
  }

  private CompletableFuture<Void> deleteIfEmpty(SubmittedDocument document, List<Task> left) {
    if (!left.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    documents.remove(document.id());
    return store.deleteDocument(document.id());
  }
}

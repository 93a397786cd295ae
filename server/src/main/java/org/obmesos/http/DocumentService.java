// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
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
    this.loaded = store.documentIds().thenCompose(this::load);
  }

  /** Loads documents one after the other: the texts of all need not fit into memory. */
  private CompletableFuture<Void> load(Collection<String> ids) {
    CompletableFuture<Void> last = CompletableFuture.completedFuture(null);
    for (String id : ids) {
      last =
          last.thenCompose(unused -> store.document(id))
              .thenComposeAsync(this::load)
              .exceptionally(
                  failure -> {
                    log.warn("the document {} cannot be loaded", id, failure);
                    return null;
                  });
    }
    Set<String> known = Set.copyOf(ids);
    return last.thenCompose(unused -> framework.list())
        .thenCompose(
            tasks ->
                killAndDelete(
                    tasks.stream()
                        .filter(
                            task ->
                                SubmittedDocument.idOf(task)
                                    .filter(id -> !known.contains(id))
                                    .isPresent())
                        .toList()));
  }

  private CompletableFuture<Void> load(Optional<StoredDocument> stored) {
    if (stored.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    SubmittedDocument document = parse(stored.get());
    CompletableFuture<Void> submission =
        stored.get().submitted() ? CompletableFuture.completedFuture(null) : submit(document);
    return submission.thenRun(() -> documents.put(document.id(), document.withoutBodies()));
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
        .thenComposeAsync(done -> submit(document))
        .thenApply(
            done -> {
              documents.put(document.id(), document.withoutBodies());
              return document;
            });
  }

  private CompletableFuture<Void> submit(SubmittedDocument document) {
    return framework
        .submit(document.toBlocks(), Map.of())
        .exceptionallyCompose(
            failure ->
                store
                    .deleteDocument(document.id())
                    .thenCompose(done -> CompletableFuture.failedFuture(failure)))
        .thenCompose(
            tasks ->
                store
                    .markSubmitted(document.id())
                    .exceptionally(
                        failure -> {
                          // Submitted again, the same tasks do not run twice.
                          log.warn("{} is not marked as submitted", document.id(), failure);
                          return null;
                        }));
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

  /** Returns a document as it was posted; empty if it was deleted. */
  CompletableFuture<Optional<StoredDocument>> stored(SubmittedDocument document) {
    return store.document(document.id());
  }

  /** Returns the text of a document with its results. */
  static String withResults(
      SubmittedDocument document, StoredDocument stored, ResultFormatter formatter) {
    Map<Integer, SubmittedDocument.SubmittedBlock> blocks =
        document.blocks().stream()
            .collect(Collectors.toMap(block -> block.source().begin(), Function.identity()));
    return Results.put(
        OrgDocument.read(stored.text()),
        source -> Optional.ofNullable(blocks.get(source.begin())).flatMap(formatter::format));
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

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many documents side by side: none is lost, and none is run twice, whatever dies. */
final class LoadTest {
  private static final int DOCUMENTS = 200;
  private static final Duration LONG = Duration.ofMinutes(2);

  @TempDir Path directory;

  private String document(int number) {
    Path ran = directory.resolve("ran-" + number);
    return """
        #+title: Document %d
        #+begin_src sh :mem 16
        echo x >> %s; echo result %d
        #+end_src
        """
        .formatted(number, ran, number);
  }

  private static CompletableFuture<HttpResponse<String>> post(
      HttpClient client, HttpServerProcess server, String text) {
    return client.sendAsync(
        HttpRequest.newBuilder(URI.create(server.url() + "org"))
            .POST(HttpRequest.BodyPublishers.ofString(text))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private void ranOnce(int number) throws IOException {
    assertThat(directory.resolve("ran-" + number)).hasContent("x\n");
  }

  private static void awaitEnd(HttpServerProcess server) {
    await().atMost(LONG).until(() -> !server.curl("/org").body().contains("\"state\":\"RUNNING\""));
  }

  @Test
  void twoHundredSideBySideAreAllRunOnce() throws Exception {
    HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    try (HttpServerProcess server = HttpServerProcess.at(directory.resolve("state"))) {
      List<CompletableFuture<HttpResponse<String>>> answers =
          IntStream.range(0, DOCUMENTS).mapToObj(n -> post(client, server, document(n))).toList();
      Set<String> places = new HashSet<>();
      for (int n = 0; n < DOCUMENTS; n++) {
        HttpResponse<String> answer = answers.get(n).join();
        assertThat(answer.statusCode()).isEqualTo(201);
        String place = answer.headers().firstValue("Location").orElseThrow();
        assertThat(places.add(place)).isTrue();
        assertThat(server.settled(place.substring("/org/".length()))).isEqualTo("FINISHED");
        assertThat(server.curl(place + ".org").body())
            .isEqualTo(document(n) + "\n#+RESULTS:\n: result " + n + "\n");
        ranOnce(n);
      }
      assertThat(server.curl("/org").json().getAsJsonArray("documents")).hasSize(DOCUMENTS);
    }
  }

  @Test
  void clientsThatWouldKeepTheirConnectionsLoseNothing() throws Exception {
    try (HttpServerProcess server = HttpServerProcess.at(directory.resolve("state"))) {
      for (int round = 0; round < 3; round++) {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        List<CompletableFuture<HttpResponse<String>>> answers =
            IntStream.range(0, DOCUMENTS).mapToObj(n -> post(client, server, document(n))).toList();
        assertThat(answers).allMatch(answer -> answer.join().statusCode() == 201);
      }
      awaitEnd(server);
    }
    for (int n = 0; n < DOCUMENTS; n++) {
      // Each document was posted three times.
      assertThat(directory.resolve("ran-" + n)).hasContent("x\nx\nx\n");
    }
  }

  @Test
  void whatWasTakenSurvivesTheDeathOfTheServer() throws Exception {
    HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    Path state = directory.resolve("state");
    HttpServerProcess first = HttpServerProcess.at(state);
    List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
    for (int n = 0; n < DOCUMENTS; n++) {
      answers.add(post(client, first, document(n)));
    }
    // In the middle: some are taken, some run, some are on the way.
    await().atMost(LONG).until(() -> answers.stream().anyMatch(CompletableFuture::isDone));
    first.cut();
    try (HttpServerProcess second = HttpServerProcess.at(state)) {
      awaitEnd(second);
      List<Integer> taken = new ArrayList<>();
      for (int n = 0; n < DOCUMENTS; n++) {
        if (answers.get(n).handle((answer, failure) -> failure == null).join()) {
          String place = answers.get(n).join().headers().firstValue("Location").orElseThrow();
          assertThat(second.curl(place + ".org").body()).endsWith(": result " + n + "\n");
          taken.add(n);
        }
      }
      assertThat(taken).isNotEmpty();
      for (int n = 0; n < DOCUMENTS; n++) {
        if (taken.contains(n) || Files.exists(directory.resolve("ran-" + n))) {
          ranOnce(n);
        }
      }
    }
  }
}

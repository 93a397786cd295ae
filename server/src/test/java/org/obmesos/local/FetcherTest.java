// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class FetcherTest {
  @TempDir private Path directory;
  private Path sandbox;
  private HttpServer server;
  private final AtomicInteger downloads = new AtomicInteger();
  private final AtomicReference<String> text = new AtomicReference<>("over http");

  @BeforeEach
  void start() throws IOException {
    sandbox = Files.createDirectory(directory.resolve("sandbox"));
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          byte[] bytes = text.get().getBytes(StandardCharsets.UTF_8);
          boolean found = exchange.getRequestURI().getPath().equals("/dir/file.txt");
          boolean head = exchange.getRequestMethod().equals("HEAD");
          if (exchange.getRequestURI().getPath().equals("/moved")) {
            exchange.getResponseHeaders().add("Location", "/dir/file.txt");
            exchange.sendResponseHeaders(302, -1);
          } else if (found) {
            if (head) {
              exchange.getResponseHeaders().add("Content-Length", "" + bytes.length);
            } else {
              downloads.incrementAndGet();
            }
            exchange.sendResponseHeaders(200, head ? -1 : bytes.length);
            if (!head) {
              exchange.getResponseBody().write(bytes);
            }
          } else {
            exchange.sendResponseHeaders(404, -1);
          }
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private String http(String path) {
    return "http://localhost:" + server.getAddress().getPort() + path;
  }

  private static CommandInfo.URI.Builder uri(String value) {
    return CommandInfo.URI.newBuilder().setValue(value).setExtract(false);
  }

  private void fetch(CommandInfo.URI.Builder... uris) throws IOException {
    new Fetcher(directory.resolve("cache"))
        .fetch(List.of(uris).stream().map(CommandInfo.URI.Builder::build).toList(), sandbox);
  }

  private void run(String... words) throws Exception {
    assertThat(new ProcessBuilder(words).directory(directory.toFile()).start().waitFor()).isZero();
  }

  @Test
  void filesComeFromThisMachineAndOverHttp() throws IOException {
    Path here = Files.writeString(directory.resolve("here"), "from here");
    fetch(
        uri("file://" + here),
        uri(here.toString()).setOutputFile("sub/dir/other").setExecutable(true),
        uri(http("/dir/file.txt?version=1")),
        uri(http("/moved")).setOutputFile("after"));
    assertThat(sandbox.resolve("here")).hasContent("from here");
    assertThat(sandbox.resolve("here").toFile().canExecute()).isFalse();
    assertThat(sandbox.resolve("sub/dir/other")).hasContent("from here").isExecutable();
    assertThat(sandbox.resolve("file.txt")).hasContent("over http");
    assertThat(sandbox.resolve("after")).hasContent("over http");
  }

  @ParameterizedTest
  @CsvSource({"x.tar,cf", "x.tgz,czf", "x.tar.gz,czf", "x.tar.bz2,cjf", "x.tar.xz,cJf"})
  void archivesAreUnpacked(String name, String how) throws Exception {
    Files.createDirectory(directory.resolve("d"));
    Files.writeString(directory.resolve("d/file"), "packed");
    run("tar", how, name, "d");
    fetch(uri(directory.resolve(name).toString()).setExtract(true));
    assertThat(sandbox.resolve("d/file")).hasContent("packed");
    Files.delete(sandbox.resolve("d/file"));
    fetch(uri(directory.resolve(name).toString()).setExtract(true).setCache(true));
    assertThat(sandbox.resolve("d/file")).hasContent("packed");
  }

  @Test
  void zipFilesAreUnpackedAndOneFileAlone() throws Exception {
    Files.writeString(directory.resolve("file"), "packed");
    try (ZipOutputStream zip =
        new ZipOutputStream(Files.newOutputStream(directory.resolve("x.zip")))) {
      zip.putNextEntry(new ZipEntry("file"));
      zip.write("packed".getBytes(StandardCharsets.UTF_8));
    }
    run("gzip", "-k", "file");
    fetch(
        uri(directory.resolve("x.zip").toString()).setExtract(true),
        uri(directory.resolve("file.gz").toString()).setExtract(true).setOutputFile("alone.gz"));
    assertThat(sandbox.resolve("file")).hasContent("packed");
    assertThat(sandbox.resolve("alone")).hasContent("packed");
  }

  @Test
  void whatIsKeptIsFetchedOnceUntilItsSizeIsAnother() throws IOException {
    fetch(uri(http("/dir/file.txt")).setCache(true));
    fetch(uri(http("/dir/file.txt")).setCache(true));
    assertThat(downloads).hasValue(1);
    text.set("another text");
    fetch(uri(http("/dir/file.txt")).setCache(true));
    assertThat(downloads).hasValue(2);
    assertThat(sandbox.resolve("file.txt")).hasContent("another text");
  }

  @Test
  void whatIsKeptGoesWhenNothingHasWantedItForLong() throws IOException {
    WorkDirectory work = new WorkDirectory(directory.resolve("work"));
    Fetcher fetcher = new Fetcher(work.cache());
    fetcher.fetch(List.of(uri(http("/dir/file.txt")).setCache(true).build()), sandbox);
    Instant old = Instant.now().minus(Duration.ofDays(9));
    Path kept = onlyFileIn(work.cache());
    Files.setLastModifiedTime(kept, FileTime.from(old));
    fetcher.fetch(List.of(uri(http("/dir/file.txt")).setCache(true).build()), sandbox);
    assertThat(downloads).hasValue(1);
    work.collectGarbage(old.plus(Duration.ofDays(1)), session -> true);
    assertThat(kept).exists();
    Files.setLastModifiedTime(kept, FileTime.from(old));
    work.collectGarbage(old.plus(Duration.ofDays(1)), session -> true);
    assertThat(kept).doesNotExist();
  }

  private static Path onlyFileIn(Path place) throws IOException {
    try (Stream<Path> files = Files.list(place)) {
      return files.reduce((a, b) -> fail("more than one file")).orElseThrow();
    }
  }

  @Test
  void whatCannotBeHadIsSaid() throws IOException {
    Path broken = Files.writeString(directory.resolve("broken.tar"), "no archive");
    for (String[] each :
        new String[][] {
          {http("/nothing"), "the server answers with status 404"},
          {"http://127.0.0.1:1/", "no connection"},
          {"/no/such/file", "there is no such file"},
          {"ftp://localhost/x", "the embedded cluster fetches http:, https:, file: and"},
          {"http://a b", "this is no URI"},
          {broken.toString(), "tar cannot unpack it: "}
        }) {
      assertThatThrownBy(() -> fetch(uri(each[0]).setExtract(true)))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith("Failed to fetch " + each[0] + ": " + each[1]);
    }
    Path here = Files.writeString(directory.resolve("here"), "from here");
    assertThatThrownBy(() -> fetch(uri(here.toString()).setOutputFile("../../out")))
        .hasMessageContaining("leads out of the sandbox");
  }
}

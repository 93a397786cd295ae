// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.obmesos.util.Digests;
import org.obmesos.util.PrivateFiles;

/**
 * Fetches files into sandboxes before their tasks start, as Mesos' fetcher does (docs/fetcher.md):
 * from this machine and over HTTP, unpacked or made executable on request. Safe for use by several
 * threads.
 */
final class Fetcher {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
  private static final String FILE = "file://";
  private static final int LOCKS = 64;

  private final Path cache;

  /** One of these is held while a file is brought into the cache. */
  private final Lock[] locks = new ReentrantLock[LOCKS];

  /** Created on first use: a client has threads, and few tasks fetch files. */
  private static final class ClientHolder {
    private static final HttpClient CLIENT =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .connectTimeout(CONNECT_TIMEOUT)
            .build();
  }

  Fetcher(Path cache) {
    this.cache = cache;
    Arrays.setAll(locks, n -> new ReentrantLock());
  }

  /** The HTTP client of Java gives no message if the host does not answer. */
  private static String reason(IOException e) {
    return e instanceof ConnectException && e.getMessage() == null
        ? "no connection"
        : e.getMessage();
  }

  /**
   * Fetches files.
   *
   * @throws IOException if one cannot be fetched, with a sentence for the user
   */
  void fetch(List<CommandInfo.URI> uris, Path sandbox) throws IOException {
    for (CommandInfo.URI uri : uris) {
      try {
        fetch(uri, sandbox);
      } catch (IOException e) {
        throw new IOException("Failed to fetch " + uri.getValue() + ": " + reason(e), e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("Failed to fetch " + uri.getValue() + ": interrupted", e);
      }
    }
  }

  private void fetch(CommandInfo.URI uri, Path sandbox) throws IOException, InterruptedException {
    String value = uri.getValue();
    String name = uri.getOutputFile().isEmpty() ? lastPart(value) : uri.getOutputFile();
    Path target = sandbox.resolve(name).normalize();
    if (!target.startsWith(sandbox) || target.equals(sandbox)) {
      throw new IOException("its name leads out of the sandbox");
    }
    PrivateFiles.createDirectories(target.getParent());
    if (uri.getCache()) {
      Path kept = cached(value);
      if (uri.getExtract() && isArchive(name)) {
        extract(kept, name, sandbox);
        return;
      }
      Files.copy(kept, target, StandardCopyOption.REPLACE_EXISTING);
    } else {
      download(value, target);
    }
    if (uri.getExecutable()) {
      Set<PosixFilePermission> all = EnumSet.copyOf(Files.getPosixFilePermissions(target));
      all.addAll(
          Set.of(
              PosixFilePermission.OWNER_EXECUTE,
              PosixFilePermission.GROUP_EXECUTE,
              PosixFilePermission.OTHERS_EXECUTE));
      Files.setPosixFilePermissions(target, all);
    } else if (uri.getExtract() && isArchive(name)) {
      extract(target, name, sandbox);
    }
  }

  private static String lastPart(String value) {
    String path = value.contains("://") ? value.replaceFirst("[?#].*", "") : value;
    return path.replaceFirst("/+$", "").replaceFirst(".*/", "");
  }

  private static boolean isHttp(String value) {
    return value.regionMatches(true, 0, "http://", 0, 7)
        || value.regionMatches(true, 0, "https://", 0, 8);
  }

  private static Path local(String value) throws IOException {
    String path = value.startsWith(FILE) ? value.substring(FILE.length()) : value;
    if (!path.startsWith("/")) {
      throw new IOException(
          "the embedded cluster fetches http:, https:, file: and absolute paths only");
    }
    return Path.of(path);
  }

  private void download(String value, Path target) throws IOException, InterruptedException {
    if (!isHttp(value)) {
      Path source = local(value);
      if (!Files.isRegularFile(source)) {
        throw new IOException("there is no such file");
      }
      Files.copy(source, target, StandardCopyOption.REPLACE_EXISTING);
      return;
    }
    HttpResponse<InputStream> answer =
        ClientHolder.CLIENT.send(
            HttpRequest.newBuilder(uri(value)).build(), HttpResponse.BodyHandlers.ofInputStream());
    try (InputStream body = answer.body()) {
      if (answer.statusCode() != 200) {
        throw new IOException("the server answers with status " + answer.statusCode());
      }
      Files.copy(body, target, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static URI uri(String value) throws IOException {
    try {
      return URI.create(value);
    } catch (IllegalArgumentException e) {
      throw new IOException("this is no URI: " + e.getMessage(), e);
    }
  }

  /** Returns the file in the cache; fetches it if it is missing or its size has changed. */
  private Path cached(String value) throws IOException, InterruptedException {
    Path kept = cache.resolve(Digests.of(value));
    Lock lock = locks[Math.floorMod(value.hashCode(), LOCKS)];
    lock.lockInterruptibly();
    try {
      OptionalLong size = sizeNow(value);
      if (!Files.exists(kept) || (size.isPresent() && size.getAsLong() != Files.size(kept))) {
        PrivateFiles.createDirectories(cache);
        Path temporary = cache.resolve(kept.getFileName() + ".new");
        download(value, temporary);
        Files.move(temporary, kept, StandardCopyOption.ATOMIC_MOVE);
      }
      // The time of the last use, for WorkDirectory.collectGarbage.
      Files.setLastModifiedTime(kept, FileTime.from(Instant.now()));
      return kept;
    } finally {
      lock.unlock();
    }
  }

  private OptionalLong sizeNow(String value) throws IOException, InterruptedException {
    if (!isHttp(value)) {
      Path source = local(value);
      return Files.exists(source) ? OptionalLong.of(Files.size(source)) : OptionalLong.empty();
    }
    HttpRequest request =
        HttpRequest.newBuilder(uri(value))
            .method("HEAD", HttpRequest.BodyPublishers.noBody())
            .build();
    HttpResponse<Void> answer =
        ClientHolder.CLIENT.send(request, HttpResponse.BodyHandlers.discarding());
    return answer.statusCode() == 200
        ? answer.headers().firstValueAsLong("Content-Length")
        : OptionalLong.empty();
  }

  private static boolean isArchive(String name) {
    return name.toLowerCase(Locale.ROOT)
        .matches(".*\\.(tar|tgz|tar\\.gz|tbz2|tar\\.bz2|txz|tar\\.xz|zip|gz)");
  }

  /** Uses the programs that Mesos uses. */
  private static void extract(Path archive, String name, Path sandbox)
      throws IOException, InterruptedException {
    String lower = name.toLowerCase(Locale.ROOT);
    boolean tar = lower.matches(".*\\.(tar|tgz|tar\\.gz|tbz2|tar\\.bz2|txz|tar\\.xz)");
    ProcessBuilder builder =
        tar
            ? new ProcessBuilder("tar", "-C", sandbox.toString(), "-xf", archive.toString())
            : lower.endsWith(".zip")
                ? new ProcessBuilder(
                    "unzip", "-q", "-o", "-d", sandbox.toString(), archive.toString())
                : new ProcessBuilder("gzip", "-dc", archive.toString())
                    .redirectOutput(sandbox.resolve(name.substring(0, name.length() - 3)).toFile());
    Path log = Files.createTempFile("ob-mesos", ".log");
    try {
      Process process = builder.redirectError(log.toFile()).start();
      int status;
      try {
        status = process.waitFor();
      } finally {
        process.destroy();
      }
      if (status != 0) {
        throw new IOException(
            builder.command().get(0)
                + " cannot unpack it: "
                + Files.readString(log, StandardCharsets.ISO_8859_1).strip());
      }
    } finally {
      Files.delete(log);
    }
  }
}

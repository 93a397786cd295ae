// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.obmesos.task.KeptFile;
import org.obmesos.task.Reuse;
import org.obmesos.task.TaskResult;
import org.obmesos.util.Digests;
import org.obmesos.util.PrivateFiles;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores copies of the files that belong to results. The name of each copy is the digest of its
 * content. A copy is deleted when no result in the store refers to it. Thread-safe.
 */
public final class KeptFiles {
  private static final Logger log = LoggerFactory.getLogger(KeptFiles.class);
  private static final int PIECE = 1 << 20;
  private static final String UNFINISHED = "new-";

  private final Path directory;

  /** The prefix of the files that this server writes. */
  private final String unfinished = UNFINISHED + UUID.randomUUID() + "-";

  /** The files whose results may not be in the store yet. */
  private final Set<String> recent = ConcurrentHashMap.newKeySet();

  /** How many results are having their files copied. */
  private final AtomicInteger copying = new AtomicInteger();

  /** Creates an instance for a directory, which is created with the first file. */
  public KeptFiles(Path directory) {
    this.directory = directory;
  }

  /** Deletes what an earlier server has left half written. */
  public void deleteUnfinished() {
    delete(name -> name.startsWith(UNFINISHED) && !name.startsWith(unfinished));
  }

  private void delete(Predicate<String> unwanted) {
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        if (unwanted.test(file.getFileName().toString())) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException e) {
      log.warn("files that no result has any more cannot be deleted", e);
    }
  }

  /**
   * Copies the files of a result from a sandbox.
   *
   * @return empty if a file is missing that is not optional
   */
  Optional<Map<String, KeptFile>> keep(Sandbox sandbox, Reuse reuse) throws IOException {
    copying.incrementAndGet();
    try {
      Map<String, KeptFile> kept = keep(sandbox, reuse.optionalFiles());
      Map<String, KeptFile> needed = keep(sandbox, reuse.files());
      kept.putAll(needed);
      boolean complete =
          reuse.files().stream()
              .allMatch(path -> needed.containsKey(Path.of(path).normalize().toString()));
      return complete ? Optional.of(kept) : Optional.empty();
    } finally {
      copying.decrementAndGet();
    }
  }

  private Map<String, KeptFile> keep(Sandbox sandbox, List<String> paths) throws IOException {
    Map<String, KeptFile> kept = new HashMap<>();
    for (String path : paths) {
      Path name = Path.of(path).normalize();
      Path parent = name.getParent();
      boolean there =
          sandbox.list(parent == null ? "" : parent.toString()).stream()
              .anyMatch(entry -> !entry.directory() && entry.path().equals(name.toString()));
      if (there) {
        kept.put(name.toString(), copy(sandbox, name.toString()));
      }
    }
    return kept;
  }

  private KeptFile copy(Sandbox sandbox, String path) throws IOException {
    PrivateFiles.createDirectories(directory);
    Path temporary = Files.createTempFile(directory, unfinished, "");
    try {
      MessageDigest sha = Digests.sha256();
      long size = 0;
      try (OutputStream out = Files.newOutputStream(temporary)) {
        for (byte[] piece = sandbox.read(path, 0, PIECE);
            piece.length > 0;
            piece = sandbox.read(path, size, PIECE)) {
          sha.update(piece);
          out.write(piece);
          size += piece.length;
        }
      }
      KeptFile file = new KeptFile(Digests.hex(sha), size);
      recent.add(file.digest());
      Files.move(temporary, directory.resolve(file.digest()), StandardCopyOption.REPLACE_EXISTING);
      return file;
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /**
   * Deletes all files but those that results name. Those that were kept since the last time, and
   * while files are copied, stay: their results may just be on their way into the store.
   *
   * @param digests the digests of the files that results name
   */
  public void retain(Set<String> digests) {
    Set<String> spared = Set.copyOf(recent);
    if (copying.get() == 0) {
      recent.removeAll(spared);
    }
    delete(
        name -> !digests.contains(name) && !spared.contains(name) && !name.startsWith(UNFINISHED));
  }

  /** Returns whether a result is complete and its files are there, unchanged. Reads them. */
  public boolean areIntact(TaskResult result) {
    return result.isComplete()
        && result.files().orElseThrow().values().stream().distinct().allMatch(this::isIntact);
  }

  private boolean isIntact(KeptFile file) {
    Path path = directory.resolve(file.digest());
    try {
      if (Files.isRegularFile(path) && Files.size(path) == file.size()) {
        try (InputStream stream = Files.newInputStream(path)) {
          return Digests.of(stream).equals(file.digest());
        }
      }
    } catch (IOException e) {
      log.warn("{} cannot be read", path, e);
    }
    return false;
  }

  /** Returns the sandbox of a task that has the result of an earlier one. */
  Sandbox sandbox(TaskResult result) {
    return new OfResult(result);
  }

  private final class OfResult implements Sandbox {
    private final Map<String, byte[]> outputs;
    private final Map<String, KeptFile> files;

    OfResult(TaskResult result) {
      this.outputs =
          Map.of(
              "stdout", result.stdout().getBytes(StandardCharsets.UTF_8),
              "stderr", result.stderrTail().getBytes(StandardCharsets.UTF_8));
      this.files = result.files().orElse(Map.of());
    }

    @Override
    public long size(String path) {
      if (outputs.containsKey(path)) {
        return outputs.get(path).length;
      }
      return files.containsKey(path) ? files.get(path).size() : 0;
    }

    @Override
    public byte[] read(String path, long offset, int length) throws IOException {
      if (outputs.containsKey(path)) {
        byte[] bytes = outputs.get(path);
        int from = (int) Math.min(offset, bytes.length);
        return Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + length));
      }
      if (!files.containsKey(path)) {
        return new byte[0];
      }
      Path file = directory.resolve(files.get(path).digest());
      try (SeekableByteChannel channel = Files.newByteChannel(file)) {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        channel.position(offset);
        while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
          // Goes on until the end.
        }
        return Arrays.copyOf(bytes.array(), bytes.position());
      }
    }

    @Override
    public List<Entry> list(String path) throws IOException {
      List<Entry> entries = new ArrayList<>();
      if (path.isEmpty()) {
        for (String name : List.of("stderr", "stdout")) {
          entries.add(new Entry(name, size(name), Instant.EPOCH, false));
        }
      }
      for (String name : files.keySet().stream().sorted().toList()) {
        Path parent = Path.of(name).getParent();
        if (path.equals(parent == null ? "" : parent.toString())) {
          Path file = directory.resolve(files.get(name).digest());
          entries.add(
              new Entry(name, size(name), Files.getLastModifiedTime(file).toInstant(), false));
        }
      }
      return entries;
    }

    @Override
    public String location() {
      return "";
    }
  }
}

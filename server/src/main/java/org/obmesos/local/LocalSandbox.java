// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.obmesos.sandbox.Sandbox;

/** A sandbox on this machine. Only regular files are read: a FIFO would block. */
public final class LocalSandbox implements Sandbox {
  private final Path root;

  /** Creates the sandbox in a directory, which need not exist yet. */
  public LocalSandbox(Path root) {
    this.root = root.toAbsolutePath().normalize();
  }

  private Path resolve(String path) throws IOException {
    try {
      Path resolved = root.resolve(path).normalize();
      if (resolved.startsWith(root)) {
        return resolved;
      }
    } catch (InvalidPathException e) {
      throw new IOException("the path is not valid: " + path, e);
    }
    throw new IOException("the path leads out of the sandbox: " + path);
  }

  /** Returns the directory of the sandbox. */
  public Path root() {
    return root;
  }

  @Override
  public long size(String path) throws IOException {
    try {
      Path file = resolve(path);
      return Files.isRegularFile(file) ? Files.size(file) : 0;
    } catch (NoSuchFileException e) {
      return 0;
    }
  }

  @Override
  public byte[] read(String path, long offset, int length) throws IOException {
    Path file = resolve(path);
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw new IOException(path + " is not a regular file");
    }
    try (SeekableByteChannel channel = Files.newByteChannel(file)) {
      long available = Math.max(0, channel.size() - offset);
      ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(length, available));
      channel.position(offset);
      int count = 0;
      while (buffer.hasRemaining() && count >= 0) {
        count = channel.read(buffer);
      }
      return Arrays.copyOf(buffer.array(), buffer.position());
    } catch (NoSuchFileException e) {
      return new byte[0];
    }
  }

  @Override
  public List<Entry> list(String path) throws IOException {
    List<Entry> entries = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(resolve(path))) {
      for (Path file : files) {
        BasicFileAttributes attributes = attributes(file);
        entries.add(
            new Entry(
                root.relativize(file).toString(),
                attributes.isDirectory() ? 0 : attributes.size(),
                attributes.lastModifiedTime().toInstant(),
                attributes.isDirectory(),
                link(file)));
      }
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    }
    entries.sort(Comparator.comparing(Entry::path));
    return entries;
  }

  /** Returns what a link leads to; of one that leads nowhere, the link itself. */
  private static BasicFileAttributes attributes(Path file) throws IOException {
    return Files.readAttributes(
        file,
        BasicFileAttributes.class,
        Files.exists(file) ? new LinkOption[0] : new LinkOption[] {LinkOption.NOFOLLOW_LINKS});
  }

  private static Optional<String> link(Path file) throws IOException {
    return Files.isSymbolicLink(file)
        ? Optional.of(Files.readSymbolicLink(file).toString())
        : Optional.empty();
  }

  @Override
  public String location() {
    return root.toString();
  }
}

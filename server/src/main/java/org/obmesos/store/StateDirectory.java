// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.obmesos.util.PrivateFiles;

/**
 * The directory of one server. The base directory has numbered slots ({@code 0}, {@code 1}, ...); a
 * server locks the first free one, so a second Emacs gets its own slot and the next server finds
 * the tasks of the last.
 *
 * <p>The operating system releases the lock when the process ends.
 */
public final class StateDirectory implements AutoCloseable {
  /** The native library of SQLite, the executor and a new database take 1.3 MiB. */
  static final long MIN_FREE_BYTES = 2L << 20;

  private static final int SLOTS = 64;
  private static final byte ENDING = 'e';
  private static final int MAX_WAIT_SECONDS = 5;

  private final Path path;
  private final int slot;
  private final FileChannel channel;
  private final FileLock lock;

  private StateDirectory(Path path, int slot, FileChannel channel, FileLock lock) {
    this.path = path;
    this.slot = slot;
    this.channel = channel;
    this.lock = lock;
  }

  /**
   * Locks the first free slot. If the server of a slot is about to end, waits up to five seconds
   * for it: the user has restarted Emacs.
   *
   * @param base the directory of the slots; created with mode 0700 if it is missing
   * @throws IOException if no slot can be created or locked, or if the file system of {@code base}
   *     has less than 2 MiB free
   */
  public static StateDirectory open(Path base) throws IOException {
    PrivateFiles.createDirectories(base);
    // Files.getFileStore fails in a chroot whose root directory is no mount point.
    File disk = base.toFile();
    long free = disk.getUsableSpace();
    if (free < MIN_FREE_BYTES && disk.getTotalSpace() > 0) {
      throw new IOException(
          "the disk is full: %d KiB are free, the server needs %d KiB"
              .formatted(free >> 10, MIN_FREE_BYTES >> 10));
    }
    for (int slot = 0; slot < SLOTS; slot++) {
      Path path = base.resolve(Integer.toString(slot));
      PrivateFiles.createDirectories(path);
      // It can have been copied with other permissions.
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
      FileChannel channel = FileChannel.open(path.resolve("lock"), CREATE, READ, WRITE);
      Files.setPosixFilePermissions(
          path.resolve("lock"), PosixFilePermissions.fromString("rw-------"));
      Optional<FileLock> lock = lock(channel);
      if (lock.isPresent()) {
        channel.truncate(0);
        return new StateDirectory(path, slot, channel, lock.get());
      }
      channel.close();
    }
    throw new IOException("all " + SLOTS + " slots in " + base + " are in use");
  }

  private static Optional<FileLock> lock(FileChannel channel) throws IOException {
    try {
      FileLock lock = channel.tryLock();
      return lock != null || !isEnding(channel) ? Optional.ofNullable(lock) : await(channel);
    } catch (OverlappingFileLockException e) {
      // Locked by this process, which is not about to end.
      return Optional.empty();
    }
  }

  private static boolean isEnding(FileChannel channel) throws IOException {
    ByteBuffer mark = ByteBuffer.allocate(1);
    return channel.read(mark, 0) == 1 && mark.get(0) == ENDING;
  }

  /** Waits for another process to release the lock; the system call has no time limit. */
  private static Optional<FileLock> await(FileChannel channel) throws IOException {
    ExecutorService waiter = Executors.newSingleThreadExecutor();
    try {
      return Optional.of(
          waiter.submit(() -> channel.lock()).get(MAX_WAIT_SECONDS, TimeUnit.SECONDS));
    } catch (TimeoutException e) {
      return Optional.empty();
    } catch (ExecutionException e) {
      throw new IOException("cannot lock a slot: " + e.getCause().getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while waiting for " + channel, e);
    } finally {
      waiter.shutdownNow();
    }
  }

  /** Returns the directory. */
  public Path path() {
    return path;
  }

  /** Returns the number of the slot, from 0. */
  public int slot() {
    return slot;
  }

  /** Marks this server as about to end, so that the next one waits for its slot. */
  public void markEnding() throws IOException {
    channel.write(ByteBuffer.wrap(new byte[] {ENDING}), 0);
  }

  @Override
  public void close() throws IOException {
    lock.release();
    channel.close();
  }
}

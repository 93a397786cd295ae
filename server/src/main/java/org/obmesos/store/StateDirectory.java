// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A directory only this server uses, as long as it lives. Below the base there is one slot after
 * the other ({@code 0}, {@code 1}, ...); a server takes the first that no other holds, so that a
 * second Emacs gets a slot of its own and the next start finds the tasks of the last.
 *
 * <p>The operating system gives the lock up when the process ends, however it ends.
 */
public final class StateDirectory implements AutoCloseable {
  private static final int SLOTS = 64;
  private static final byte ENDING = 'e';
  private static final int LONGEST_END = 5;

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
   * Takes the first free slot. A slot whose server says it is ending is waited for, up to five
   * seconds: that is an Emacs that was closed and opened again.
   *
   * @param base where the slots are; made, private to the user, if it is not there
   * @throws IOException if no directory can be made or locked there
   */
  public static StateDirectory open(Path base) throws IOException {
    createPrivate(base);
    for (int slot = 0; slot < SLOTS; slot++) {
      Path path = base.resolve(Integer.toString(slot));
      createPrivate(path);
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
      // Held by this very process, which is not ending.
      return Optional.empty();
    }
  }

  private static boolean isEnding(FileChannel channel) throws IOException {
    ByteBuffer mark = ByteBuffer.allocate(1);
    return channel.read(mark, 0) == 1 && mark.get(0) == ENDING;
  }

  /** Waits for another process to let go, for which the system has no time limit. */
  private static Optional<FileLock> await(FileChannel channel) throws IOException {
    ExecutorService waiter = Executors.newSingleThreadExecutor();
    try {
      return Optional.of(waiter.submit(() -> channel.lock()).get(LONGEST_END, TimeUnit.SECONDS));
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

  /** Makes a directory and its parents, 0700 each. */
  public static void createPrivate(Path directory) throws IOException {
    Files.createDirectories(
        Objects.requireNonNull(directory, "directory"),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
  }

  /** The directory. */
  public Path path() {
    return path;
  }

  /** The slot's number, from 0. */
  public int slot() {
    return slot;
  }

  /** Says that this server is about to end, so that a newcomer waits for its slot. */
  public void ending() throws IOException {
    channel.write(ByteBuffer.wrap(new byte[] {ENDING}), 0);
  }

  @Override
  public void close() throws IOException {
    lock.release();
    channel.close();
  }
}

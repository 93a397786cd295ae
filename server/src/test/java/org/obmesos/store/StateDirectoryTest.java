// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StateDirectoryTest {
  @TempDir private Path base;

  @Test
  void aSecondServerGetsASlotOfItsOwn() throws IOException {
    try (StateDirectory first = StateDirectory.open(base);
        StateDirectory second = StateDirectory.open(base)) {
      assertThat(first.slot()).isEqualTo(0);
      assertThat(second.slot()).isEqualTo(1);
      assertThat(second.path()).isNotEqualTo(first.path());
    }
  }

  @Test
  void aSlotIsPrivateAlsoIfItWasCopied() throws IOException {
    StateDirectory.open(base).close();
    Files.setPosixFilePermissions(base.resolve("0"), PosixFilePermissions.fromString("rwxr-xr-x"));
    try (StateDirectory next = StateDirectory.open(base)) {
      assertThat(Files.getPosixFilePermissions(next.path()))
          .isEqualTo(PosixFilePermissions.fromString("rwx------"));
    }
  }

  @Test
  void aSlotThatWasGivenUpIsTakenAgain() throws IOException {
    StateDirectory.open(base).close();
    try (StateDirectory next = StateDirectory.open(base)) {
      assertThat(next.slot()).isEqualTo(0);
    }
  }

  /** Another process that holds the first slot until its input ends. */
  private Process holder(String mark) throws IOException {
    StateDirectory.open(base).close();
    Path lock = Files.writeString(base.resolve("0/lock"), mark);
    Process holder =
        new ProcessBuilder(
                "python3",
                "-c",
                "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.lockf(f, fcntl.LOCK_EX);"
                    + " print('held', flush=True); sys.stdin.read()",
                lock.toString())
            .start();
    assertThat(holder.inputReader().readLine()).isEqualTo("held");
    return holder;
  }

  @Test
  void aServerThatIsEndingIsWaitedFor() throws Exception {
    Process holder = holder("e");
    CompletableFuture<StateDirectory> next =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return StateDirectory.open(base);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    String waiting = "-> POSIX .* " + ProcessHandle.current().pid() + " ";
    await()
        .until(
            () ->
                next.isDone()
                    || Pattern.compile(waiting)
                        .matcher(Files.readString(Path.of("/proc/locks")))
                        .find());
    holder.outputWriter().close();
    try (StateDirectory state = next.get(30, TimeUnit.SECONDS)) {
      assertThat(state.slot()).isEqualTo(0);
    }
  }

  @Test
  void aServerThatGoesOnIsNotWaitedFor() throws Exception {
    Process holder = holder("");
    try (StateDirectory state = StateDirectory.open(base)) {
      assertThat(state.slot()).isEqualTo(1);
    }
    holder.outputWriter().close();
  }

  @Test
  void allOfItIsPrivateToTheUser() throws IOException {
    try (StateDirectory state = StateDirectory.open(base.resolve("new"));
        Store store = new Store(state.path().resolve("store.db"))) {
      store.tasks().join();
      assertThat(mode(base.resolve("new"))).isEqualTo("rwx------");
      assertThat(mode(state.path())).isEqualTo("rwx------");
      assertThat(mode(state.path().resolve("lock"))).isEqualTo("rw-------");
      assertThat(mode(state.path().resolve("store.db"))).isEqualTo("rw-------");
    }
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }
}

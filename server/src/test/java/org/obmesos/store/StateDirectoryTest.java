// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
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
  void aSlotThatWasGivenUpIsTakenAgain() throws IOException {
    StateDirectory.open(base).close();
    try (StateDirectory next = StateDirectory.open(base)) {
      assertThat(next.slot()).isEqualTo(0);
    }
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

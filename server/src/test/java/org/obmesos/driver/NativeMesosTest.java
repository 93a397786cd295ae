// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.mesos.v1.scheduler.Mesos;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

final class NativeMesosTest {
  private static final Scheduler NOBODY =
      new Scheduler() {
        @Override
        public void connected(Mesos mesos) {}

        @Override
        public void disconnected(Mesos mesos) {}

        @Override
        public void received(Mesos mesos, Event event) {}
      };

  @ParameterizedTest
  @NullSource
  @ValueSource(strings = {"", " "})
  void withoutTheLibraryTheUserHearsWhatToDo(String library) {
    List<String> troubles = new ArrayList<>();
    try (NativeMesos mesos =
        new NativeMesos(library, NOBODY, "localhost:5050", Optional.empty(), troubles::add)) {
      mesos.start();
      assertThat(troubles)
          .singleElement()
          .satisfies(why -> assertThat(why).contains("MESOS_NATIVE_JAVA_LIBRARY"));
      assertThat(mesos.call(Call.getDefaultInstance())).isCompletedExceptionally();
    }
  }
}

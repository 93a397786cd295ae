// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.obmesos.task.Resources;

final class ShortageTest {
  private static final Resources SMALL = new Resources(4, 1024, 0);
  private static final Resources LARGE_MEMORY = new Resources(2, 8192, 0);

  @Test
  void nothingIsSaidOfWhatFits() {
    assertThat(Shortage.of(new Resources(4, 1000, 0), List.of(SMALL, LARGE_MEMORY))).isEmpty();
  }

  @Test
  void whatThereIsTooLittleOfIsNamedWithTheMostThereIs() {
    assertThat(Shortage.of(new Resources(1000, 9000, 0), List.of(SMALL, LARGE_MEMORY)))
        .contains(
            "wants 1000 cpus, the most there is is 4, 9000 MiB of memory, the most there is is"
                + " 8192");
  }

  @Test
  void enoughOfEachButNotOnOneAgentIsSaidToo() {
    assertThat(Shortage.of(new Resources(4, 8192, 0), List.of(SMALL, LARGE_MEMORY)))
        .contains("wants more than any one agent has offered so far");
  }
}

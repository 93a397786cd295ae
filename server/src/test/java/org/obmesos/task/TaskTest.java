// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.obmesos.cluster.TestBlocks;

final class TaskTest {
  @ParameterizedTest
  @ValueSource(strings = {"", ".", "..", ".hidden", "a/b", "a b", "a\nb", "ä"})
  void idsThatAreNoFileNamesAreRefused(String id) {
    assertThatThrownBy(() -> new TaskId(id)).isInstanceOf(InvalidBlockException.class);
  }

  @Test
  void resourcesCountInThousandths() {
    Resources tenth = new Resources(0.1, 0.1, 0);
    Resources sum = tenth.plus(tenth).plus(tenth);
    assertThat(sum).isEqualTo(new Resources(0.3, 0.3, 0));
    assertThat(sum.minus(tenth).minus(tenth).minus(tenth)).isEqualTo(Resources.NONE);
    assertThat(new Resources(1, 1, 0).contains(new Resources(1.0004, 1, 0))).isTrue();
    assertThat(new Resources(1, 1, 0).contains(new Resources(1.001, 1, 0))).isFalse();
  }

  @Test
  void amountsThatCannotBeNameTheirArgument() {
    assertThatThrownBy(() -> new Resources(Double.NaN, 1, 1)).hasMessageContaining("cpus");
    assertThatThrownBy(() -> new Resources(1, -1, 1)).hasMessageContaining("mem");
    assertThatThrownBy(() -> new Resources(1, 1, Double.POSITIVE_INFINITY))
        .hasMessageContaining("disk");
  }

  @Test
  void exitsAreReadFromMesosWords() {
    assertThat(Exit.parse("Command exited with status 3").status()).isEqualTo(OptionalInt.of(3));
    assertThat(Exit.parse("Container exited with status 0").status()).isEqualTo(OptionalInt.of(0));
    assertThat(Exit.parse("Command terminated with signal Killed").signal()).contains("Killed");
    assertThat(Exit.parse("Failed to launch container")).isEqualTo(Exit.UNKNOWN);
  }

  @ParameterizedTest
  @ValueSource(strings = {"admin", "0", "70000", "99999999999", ""})
  void healthIsCheckedAtAPortThereIs(String port) {
    Block plain = TestBlocks.of("b", "true");
    Requirements web =
        new Requirements(new Resources(0.1, 16, 0), List.of(), List.of("web"), "", List.of());
    for (String good : List.of("web", "8080")) {
      assertThat(checked(TestBlocks.needing(plain, web), good).requirements()).isEqualTo(web);
    }
    assertThatThrownBy(() -> checked(TestBlocks.needing(plain, web), port))
        .isInstanceOf(InvalidBlockException.class)
        .hasMessageContaining("health");
  }

  private static Block checked(Block block, String port) {
    return TestBlocks.in(
        block,
        new ExecutionEnvironment(
            Optional.empty(),
            List.of(),
            "",
            Optional.of(new Health(Health.Kind.TCP, "", port)),
            Set.of()));
  }

  @Test
  void programsThatCannotBePassedAreRefused() {
    assertThatThrownBy(() -> program(" ")).hasMessageContaining("empty");
    assertThatThrownBy(() -> program("a\0b")).hasMessageContaining("NUL");
    assertThatThrownBy(() -> program("x".repeat(Program.MAX_BODY_BYTES + 1)))
        .hasMessageContaining("bytes");
  }

  private static Program program(String body) {
    return new Program(List.of("sh"), body, Map.of(), "", ExecutionEnvironment.NONE);
  }

  @Test
  void whatAReconciliationTellsIsNoEndOfASession() {
    assertThat(sessionHasEnded(TaskState.FINISHED, "SOURCE_MASTER", "Latest task state")).isFalse();
    assertThat(sessionHasEnded(TaskState.KILLED, "", "Killed before it was launched")).isFalse();
    assertThat(sessionHasEnded(TaskState.FAILED, "SOURCE_EXECUTOR", "exited with status 1"))
        .isFalse();
    assertThat(sessionHasEnded(TaskState.FINISHED, "SOURCE_EXECUTOR", "exited" + Session.ENDED))
        .isTrue();
    assertThat(sessionHasEnded(TaskState.FAILED, "SOURCE_AGENT", "Executor terminated")).isTrue();
    assertThat(sessionHasEnded(TaskState.GONE, "SOURCE_MASTER", "Agent is gone")).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "../up", "/etc/passwd", "a/../../up", "two\nlines"})
  void aSessionCopiesOnlyFilesBelowItsWorkingDirectory(String file) {
    assertThatThrownBy(() -> new Session("s", "%s", false, List.of("good", file)))
        .isInstanceOf(InvalidBlockException.class)
        .hasMessageContaining("session");
  }

  private static boolean sessionHasEnded(TaskState state, String source, String message) {
    return Session.hasEndedWith(new TaskStatus(state, "", message, source));
  }

  @Test
  void aTimeoutDoesNotGoWithKeep() {
    Retry keep =
        new Retry(1, Duration.ofSeconds(1), Retry.Ensure.NOTHING, Duration.ofMinutes(1), 0);
    assertThatThrownBy(
            () ->
                new RunPolicy(0, Duration.ZERO, Duration.ofSeconds(3), 10, keep, ExecutorKind.AUTO))
        .isInstanceOf(InvalidBlockException.class)
        .hasMessageContaining("timeout");
  }
}

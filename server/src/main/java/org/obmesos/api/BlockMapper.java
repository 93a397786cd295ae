// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.api;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.obmesos.api.Messages.BlockItem;
import org.obmesos.api.Messages.ConstraintItem;
import org.obmesos.api.Messages.ContainerItem;
import org.obmesos.api.Messages.HealthItem;
import org.obmesos.api.Messages.SessionItem;
import org.obmesos.api.Messages.UriItem;
import org.obmesos.task.Block;
import org.obmesos.task.Constraint;
import org.obmesos.task.Container;
import org.obmesos.task.ExecutionEnvironment;
import org.obmesos.task.ExecutorKind;
import org.obmesos.task.Health;
import org.obmesos.task.Image;
import org.obmesos.task.InvalidBlockException;
import org.obmesos.task.Network;
import org.obmesos.task.Origin;
import org.obmesos.task.Program;
import org.obmesos.task.Requirements;
import org.obmesos.task.Resources;
import org.obmesos.task.Retry;
import org.obmesos.task.Reuse;
import org.obmesos.task.RunPolicy;
import org.obmesos.task.Session;
import org.obmesos.task.TaskId;
import org.obmesos.task.Uri;

/** Converts messages to domain records. A component that is null has its default. */
public final class BlockMapper {
  private static final double DEFAULT_CPUS = 0.1;
  private static final double DEFAULT_MEM = 128;
  private static final double MAX_SECONDS = 1e9;

  private BlockMapper() {}

  /**
   * Converts a block.
   *
   * @throws InvalidBlockException if it is not valid
   */
  public static Block block(BlockItem item) {
    return new Block(
        new TaskId(item.id()),
        new Origin(
            or(item.name(), ""),
            or(item.document(), ""),
            or(item.group(), ""),
            or(item.title(), "")),
        program(item),
        requirements(item),
        runPolicy(item),
        reuse(item));
  }

  private static Reuse reuse(BlockItem item) {
    return new Reuse(
        constant("cache", Reuse.Mode.class, or(item.reuse(), "no")),
        or(item.fetch(), List.of()),
        or(item.fetchOptional(), List.of()),
        or(item.afterBlocks(), List.of()),
        Set.copyOf(or(item.ignored(), List.of())),
        or(item.inputs(), Map.of()));
  }

  private static Program program(BlockItem item) {
    String body = or(item.body(), "");
    Program program =
        new Program(
            or(item.interpreter(), List.of("sh")),
            body,
            or(item.environment(), Map.of()),
            or(item.directory(), ""),
            executionEnvironment(item));
    boolean later = or(item.bodyLater(), false);
    if (later && !body.isEmpty()) {
      throw new InvalidBlockException("body", "it is submitted now or later, not both");
    }
    if (later != program.awaitsBody()) {
      throw new InvalidBlockException("body", "the block is empty");
    }
    return program;
  }

  private static ExecutionEnvironment executionEnvironment(BlockItem item) {
    return new ExecutionEnvironment(
        Optional.ofNullable(item.container()).map(BlockMapper::container),
        or(item.uris(), List.<UriItem>of()).stream().map(BlockMapper::uri).toList(),
        or(item.user(), ""),
        Optional.ofNullable(item.health()).map(BlockMapper::health),
        item.secrets() == null ? Set.of() : item.secrets().keySet(),
        Optional.ofNullable(item.session()).map(BlockMapper::session));
  }

  private static Session session(SessionItem item) {
    return new Session(
        or(item.name(), ""), or(item.request(), "%s"), or(item.value(), false), item.files());
  }

  private static Container container(ContainerItem item) {
    return new Container(
        new Image(
            or(item.image(), ""),
            constant("containerizer", Image.Containerizer.class, or(item.containerizer(), "mesos")),
            or(item.pull(), false),
            or(item.entrypoint(), false)),
        new Network(
            or(item.network(), Network.HOST.name()),
            or(item.expose(), List.<Messages.ExposeItem>of()).stream()
                .map(port -> new Network.Exposed(or(port.host(), 0), or(port.container(), 0)))
                .toList()),
        or(item.volumes(), List.<Messages.VolumeItem>of()).stream()
            .map(
                volume ->
                    new Container.Volume(
                        or(volume.host(), ""),
                        or(volume.container(), ""),
                        or(volume.readOnly(), false)))
            .toList(),
        or(item.privileged(), false));
  }

  private static Uri uri(UriItem item) {
    return new Uri(
        or(item.value(), ""),
        or(item.extract(), false),
        or(item.executable(), false),
        or(item.cache(), false),
        or(item.name(), ""));
  }

  private static Health health(HealthItem item) {
    return new Health(
        constant("health", Health.Kind.class, or(item.kind(), "")),
        or(item.target(), ""),
        or(item.port(), ""));
  }

  private static <E extends Enum<E>> E constant(String argument, Class<E> type, String word) {
    for (E each : type.getEnumConstants()) {
      if (each.name().replace('_', '-').equals(word.toUpperCase(Locale.ROOT))) {
        return each;
      }
    }
    List<String> words = new ArrayList<>();
    for (E each : type.getEnumConstants()) {
      words.add(each.name().replace('_', '-').toLowerCase(Locale.ROOT));
    }
    throw new InvalidBlockException(argument, "one of " + String.join(", ", words));
  }

  private static Requirements requirements(BlockItem item) {
    List<Constraint> constraints = new ArrayList<>();
    if (!or(item.agent(), "").isEmpty()) {
      constraints.add(new Constraint("hostname", Constraint.Operator.IS, item.agent()));
    }
    for (ConstraintItem each : or(item.constraints(), List.<ConstraintItem>of())) {
      constraints.add(
          Constraint.of(or(each.attribute(), ""), or(each.operator(), ""), or(each.value(), "")));
    }
    return new Requirements(
        new Resources(
            or(item.cpus(), DEFAULT_CPUS),
            or(item.mem(), DEFAULT_MEM),
            or(item.disk(), 0.0),
            or(item.gpus(), 0.0)),
        or(item.after(), List.<String>of()).stream().map(TaskId::new).toList(),
        or(item.ports(), List.of()),
        or(item.role(), ""),
        constraints);
  }

  private static RunPolicy runPolicy(BlockItem item) {
    return new RunPolicy(
        or(item.priority(), 0),
        seconds("kill-grace", item.killGrace(), RunPolicy.DEFAULT.killGrace()),
        seconds("timeout", item.timeout(), RunPolicy.DEFAULT.timeout()),
        or(item.tailLines(), RunPolicy.DEFAULT.tailLines()),
        new Retry(
            or(item.attempts(), Retry.NONE.attempts()),
            seconds("backoff", item.backoff(), Retry.NONE.backoff()),
            constant("ensure", Retry.Ensure.class, or(item.ensure(), "nothing")),
            seconds("keep", item.keep(), Retry.NONE.keep()),
            or(item.maxMem(), Retry.NONE.maxMemMiB())),
        constant("executor", ExecutorKind.class, or(item.executor(), "auto")),
        or(item.limit(), 0));
  }

  private static <T> T or(T value, T otherwise) {
    return value == null ? otherwise : value;
  }

  private static Duration seconds(String argument, Double value, Duration otherwise) {
    if (value == null) {
      return otherwise;
    }
    if (!(value >= 0 && value <= MAX_SECONDS)) {
      throw new InvalidBlockException(argument, "a number of seconds, at least 0");
    }
    return Duration.ofMillis(Math.round(value * 1000));
  }
}

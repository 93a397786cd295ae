// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.mesos.v1.Protos.Attribute;
import org.apache.mesos.v1.Protos.Resource;
import org.apache.mesos.v1.Protos.Value;
import org.obmesos.task.Ports;
import org.obmesos.task.Resources;

/** Reading and writing Mesos' resource lists. */
public final class MesosResources {
  private static final String PORTS = "ports";

  private MesosResources() {}

  /**
   * The sum of what a task can use of them. A disk with a source of its own can only be had as a
   * whole, what is persistent holds somebody's data, and what is revocable or shared is only for
   * who asks for that (mesos.proto, Resource). What is reserved is offered to its role only.
   */
  public static Resources sum(List<Resource> resources) {
    List<Resource> plain = plain(resources, Value.Type.SCALAR);
    return new Resources(
        scalar(plain, "cpus"), scalar(plain, "mem"), scalar(plain, "disk"), scalar(plain, "gpus"));
  }

  private static double scalar(List<Resource> resources, String name) {
    return resources.stream()
        .filter(resource -> resource.getName().equals(name))
        .mapToDouble(resource -> resource.getScalar().getValue())
        .sum();
  }

  /** The list for these amounts, allocated to a role; an amount of 0 is left out. */
  public static List<Resource> list(Resources amounts, String role) {
    return list(amounts, Ports.NONE, role);
  }

  /** The same, with ports. */
  public static List<Resource> list(Resources amounts, Ports ports, String role) {
    List<Resource> resources = new ArrayList<>();
    addScalar(resources, "cpus", amounts.cpus(), role);
    addScalar(resources, "mem", amounts.memMiB(), role);
    addScalar(resources, "disk", amounts.diskMiB(), role);
    addScalar(resources, "gpus", amounts.gpus(), role);
    if (!ports.isEmpty()) {
      resources.add(
          Resource.newBuilder()
              .setName(PORTS)
              .setType(Value.Type.RANGES)
              .setRanges(ranges(ports))
              .setAllocationInfo(Resource.AllocationInfo.newBuilder().setRole(role))
              .build());
    }
    return List.copyOf(resources);
  }

  private static Value.Ranges ranges(Ports ports) {
    Value.Ranges.Builder ranges = Value.Ranges.newBuilder();
    ports
        .ranges()
        .forEach(
            range ->
                ranges.addRange(
                    Value.Range.newBuilder().setBegin(range.first()).setEnd(range.last())));
    return ranges.build();
  }

  /** The ports among them that any task can use. */
  public static Ports ports(List<Resource> resources) {
    return Ports.of(
        plain(resources, Value.Type.RANGES).stream()
            .filter(resource -> resource.getName().equals(PORTS))
            .flatMap(resource -> resource.getRanges().getRangeList().stream())
            .map(range -> new Ports.Range((int) range.getBegin(), (int) range.getEnd()))
            .toList());
  }

  private static List<Resource> plain(List<Resource> resources, Value.Type type) {
    return resources.stream()
        .filter(resource -> resource.getType() == type)
        .filter(MesosResources::isUsable)
        .toList();
  }

  /** The value of an agent's attribute as text. */
  public static String text(Attribute attribute) {
    return switch (attribute.getType()) {
      case SCALAR -> amount(attribute.getScalar().getValue());
      case RANGES ->
          attribute.getRanges().getRangeList().stream()
              .map(range -> range.getBegin() + "-" + range.getEnd())
              .collect(Collectors.joining(",", "[", "]"));
      case SET -> "{" + String.join(",", attribute.getSet().getItemList()) + "}";
      case TEXT -> attribute.getText().getValue();
    };
  }

  private static boolean isUsable(Resource resource) {
    return !resource.getDisk().hasSource()
        && !resource.getDisk().hasPersistence()
        && !resource.hasRevocable()
        && !resource.hasShared();
  }

  /**
   * What was taken of resources, and what is left.
   *
   * @param resources what was taken, reserved and allocated as it was
   * @param left the rest
   */
  public record Taken(List<Resource> resources, List<Resource> left) {}

  /** Takes amounts and ports that are there; of each what is reserved before what is not. */
  public static Taken take(List<Resource> from, Resources amounts, Ports ports) {
    Map<String, Double> wanted = new HashMap<>();
    wanted.put("cpus", amounts.cpus());
    wanted.put("mem", amounts.memMiB());
    wanted.put("disk", amounts.diskMiB());
    wanted.put("gpus", amounts.gpus());
    Ports open = ports;
    List<Resource> taken = new ArrayList<>();
    List<Resource> left = new ArrayList<>();
    List<Resource> reservedFirst = new ArrayList<>(from);
    reservedFirst.sort(Comparator.comparing(it -> it.getReservationsCount() == 0));
    for (Resource resource : reservedFirst) {
      if (!isUsable(resource)) {
        left.add(resource);
      } else if (resource.getType() == Value.Type.SCALAR) {
        double there = resource.getScalar().getValue();
        double part = Math.min(there, wanted.getOrDefault(resource.getName(), 0.0));
        wanted.computeIfPresent(resource.getName(), (name, amount) -> rounded(amount - part));
        addPart(taken, resource, part);
        addPart(left, resource, rounded(there - part));
      } else if (resource.getName().equals(PORTS)) {
        Ports there = ports(List.of(resource));
        Ports rest = there.minus(open);
        open = open.minus(there);
        addPart(taken, resource, there.minus(rest));
        addPart(left, resource, rest);
      } else {
        left.add(resource);
      }
    }
    return new Taken(List.copyOf(taken), List.copyOf(left));
  }

  /** Mesos counts in thousandths. */
  private static double rounded(double amount) {
    return Math.round(amount * 1000) / 1000.0;
  }

  private static void addPart(List<Resource> to, Resource of, double amount) {
    if (amount > 0) {
      to.add(of.toBuilder().setScalar(Value.Scalar.newBuilder().setValue(amount)).build());
    }
  }

  private static void addPart(List<Resource> to, Resource of, Ports ports) {
    if (!ports.isEmpty()) {
      to.add(of.toBuilder().setRanges(ranges(ports)).build());
    }
  }

  private static void addScalar(List<Resource> to, String name, double amount, String role) {
    if (amount > 0) {
      to.add(
          Resource.newBuilder()
              .setName(name)
              .setType(Value.Type.SCALAR)
              .setScalar(Value.Scalar.newBuilder().setValue(amount))
              .setAllocationInfo(Resource.AllocationInfo.newBuilder().setRole(role))
              .build());
    }
  }

  /** As a master writes them: {@code cpus(allocated: *):8; mem(allocated: *):8192}. */
  public static String describe(List<Resource> resources) {
    return resources.stream()
        .map(
            resource ->
                String.format(
                    Locale.ROOT,
                    "%s(allocated: %s):%s",
                    resource.getName(),
                    resource.getAllocationInfo().getRole(),
                    resource.getType() == Value.Type.RANGES
                        ? ports(List.of(resource))
                        : amount(resource.getScalar().getValue())))
        .collect(Collectors.joining("; "));
  }

  /** A number as a person writes it. */
  public static String amount(double value) {
    return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
  }
}

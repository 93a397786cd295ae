// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

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
import org.obmesos.task.AvailableResources;
import org.obmesos.task.Ports;
import org.obmesos.task.Resources;

/** Reads and creates Mesos' resource lists. */
public final class MesosResources {
  private static final String PORTS = "ports";

  private MesosResources() {}

  /**
   * Returns what a task can use of a list. A disk with a source can only be used as a whole, a
   * persistent volume holds somebody's data, and revocable and shared resources are for frameworks
   * that ask for them (mesos.proto, Resource). Reserved resources are offered only to their role.
   */
  public static AvailableResources available(List<Resource> resources) {
    return new AvailableResources(
        new Resources(
            scalar(resources, "cpus"),
            scalar(resources, "mem"),
            scalar(resources, "disk"),
            scalar(resources, "gpus")),
        ports(resources));
  }

  private static double scalar(List<Resource> resources, String name) {
    return resources.stream()
        .filter(resource -> resource.getType() == Value.Type.SCALAR)
        .filter(resource -> resource.getName().equals(name))
        .filter(MesosResources::isUsable)
        .mapToDouble(resource -> resource.getScalar().getValue())
        .sum();
  }

  private static Ports ports(List<Resource> resources) {
    return Ports.of(
        resources.stream()
            .filter(resource -> resource.getType() == Value.Type.RANGES)
            .filter(resource -> resource.getName().equals(PORTS))
            .filter(MesosResources::isUsable)
            .flatMap(resource -> resource.getRanges().getRangeList().stream())
            .map(range -> new Ports.Range((int) range.getBegin(), (int) range.getEnd()))
            .toList());
  }

  /** Returns the list for scalar amounts, allocated to a role. */
  public static List<Resource> list(Resources amounts, String role) {
    return list(new AvailableResources(amounts, Ports.NONE), role);
  }

  /** Returns the list for amounts and ports, allocated to a role; amounts of 0 are left out. */
  public static List<Resource> list(AvailableResources amounts, String role) {
    List<Resource> resources = new ArrayList<>();
    addScalar(resources, "cpus", amounts.scalars().cpus(), role);
    addScalar(resources, "mem", amounts.scalars().memMiB(), role);
    addScalar(resources, "disk", amounts.scalars().diskMiB(), role);
    addScalar(resources, "gpus", amounts.scalars().gpus(), role);
    if (!amounts.ports().isEmpty()) {
      resources.add(
          Resource.newBuilder()
              .setName(PORTS)
              .setType(Value.Type.RANGES)
              .setRanges(ranges(amounts.ports()))
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

  /** Returns the value of an agent's attribute as text. */
  public static String text(Attribute attribute) {
    return switch (attribute.getType()) {
      case SCALAR -> Resources.format(attribute.getScalar().getValue());
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
   * Takes resources out of a list of available ones, reserved ones first.
   *
   * @param available is changed to what is left
   * @param needed is contained in it
   * @return what was taken, with its reservations and allocation
   */
  public static List<Resource> take(List<Resource> available, AvailableResources needed) {
    Map<String, Double> scalars = new HashMap<>();
    scalars.put("cpus", needed.scalars().cpus());
    scalars.put("mem", needed.scalars().memMiB());
    scalars.put("disk", needed.scalars().diskMiB());
    scalars.put("gpus", needed.scalars().gpus());
    Ports ports = needed.ports();
    List<Resource> taken = new ArrayList<>();
    List<Resource> left = new ArrayList<>();
    List<Resource> reservedFirst = new ArrayList<>(available);
    reservedFirst.sort(Comparator.comparing(resource -> resource.getReservationsCount() == 0));
    for (Resource resource : reservedFirst) {
      if (!isUsable(resource)) {
        left.add(resource);
      } else if (resource.getType() == Value.Type.SCALAR) {
        double amount = resource.getScalar().getValue();
        double part = Math.min(amount, scalars.getOrDefault(resource.getName(), 0.0));
        scalars.computeIfPresent(resource.getName(), (name, open) -> rounded(open - part));
        addPart(taken, resource, part);
        addPart(left, resource, rounded(amount - part));
      } else if (resource.getName().equals(PORTS)) {
        Ports offered = ports(List.of(resource));
        Ports rest = offered.minus(ports);
        ports = ports.minus(offered);
        addPart(taken, resource, offered.minus(rest));
        addPart(left, resource, rest);
      } else {
        left.add(resource);
      }
    }
    available.clear();
    available.addAll(left);
    return List.copyOf(taken);
  }

  /** Mesos rounds scalars to 0.001 (docs/mesos-v1.proto, Value.Scalar). */
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

  /** Formats resources as a master does: {@code cpus(allocated: *):8; mem(allocated: *):8192}. */
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
                        : Resources.format(resource.getScalar().getValue())))
        .collect(Collectors.joining("; "));
  }
}

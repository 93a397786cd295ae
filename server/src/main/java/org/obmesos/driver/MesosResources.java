// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.apache.mesos.v1.Protos.Resource;
import org.apache.mesos.v1.Protos.Value;
import org.obmesos.task.Ports;
import org.obmesos.task.Resources;

/** Reading and writing Mesos' resource lists. */
public final class MesosResources {
  private static final String PORTS = "ports";

  private MesosResources() {}

  /**
   * The sum of what any task can use of them. A disk with a source of its own can only be had as a
   * whole, and what is revocable, shared or reserved only by who asks for that (mesos.proto,
   * Resource).
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
        .filter(resource -> !resource.getDisk().hasSource())
        .filter(resource -> !resource.hasRevocable() && !resource.hasShared())
        .filter(resource -> resource.getReservationsCount() == 0)
        .toList();
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

  private static String amount(double value) {
    return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
  }
}

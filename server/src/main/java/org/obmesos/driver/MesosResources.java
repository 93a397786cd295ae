// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.apache.mesos.v1.Protos.Resource;
import org.apache.mesos.v1.Protos.Value;

/** Reading and writing Mesos' resource lists. */
public final class MesosResources {
  private MesosResources() {}

  /** The sum of the scalars of that name, 0 if there is none. */
  public static double scalar(List<Resource> resources, String name) {
    return resources.stream()
        .filter(resource -> resource.getType() == Value.Type.SCALAR)
        .filter(resource -> resource.getName().equals(name))
        .mapToDouble(resource -> resource.getScalar().getValue())
        .sum();
  }

  /** The list for these amounts, allocated to a role; an amount of 0 is left out. */
  public static List<Resource> scalars(double cpus, double mem, double disk, String role) {
    List<Resource> resources = new ArrayList<>();
    addScalar(resources, "cpus", cpus, role);
    addScalar(resources, "mem", mem, role);
    addScalar(resources, "disk", disk, role);
    return List.copyOf(resources);
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
                    amount(resource.getScalar().getValue())))
        .collect(Collectors.joining("; "));
  }

  private static String amount(double value) {
    return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
  }
}

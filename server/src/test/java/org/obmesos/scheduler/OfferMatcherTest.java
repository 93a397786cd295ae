// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.Attribute;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.OfferID;
import org.apache.mesos.v1.Protos.Resource;
import org.apache.mesos.v1.Protos.Value;
import org.junit.jupiter.api.Test;
import org.obmesos.cluster.TestBlocks;
import org.obmesos.driver.MesosResources;
import org.obmesos.task.AvailableResources;
import org.obmesos.task.Block;
import org.obmesos.task.Constraint;
import org.obmesos.task.Container;
import org.obmesos.task.ExecutionEnvironment;
import org.obmesos.task.Image;
import org.obmesos.task.Network;
import org.obmesos.task.Origin;
import org.obmesos.task.Ports;
import org.obmesos.task.Requirements;
import org.obmesos.task.Resources;
import org.obmesos.task.Task;
import org.obmesos.task.TaskLocation;
import org.obmesos.task.TaskState;
import org.obmesos.task.TaskStatus;

final class OfferMatcherTest {
  private final TaskRegistry registry = new TaskRegistry();
  private final OfferMatcher offers = new OfferMatcher(registry, true, Resources.NONE);

  private static Offer offer(String host, String rack, Resource... resources) {
    Offer.Builder offer =
        Offer.newBuilder()
            .setId(OfferID.newBuilder().setValue("O-" + host + resources.length))
            .setFrameworkId(FrameworkID.newBuilder().setValue("F"))
            .setAgentId(AgentID.newBuilder().setValue("S-" + host))
            .setHostname(host)
            .addAllResources(List.of(resources))
            .setAllocationInfo(resources[0].getAllocationInfo());
    if (!rack.isEmpty()) {
      offer.addAttributes(
          Attribute.newBuilder()
              .setName("rack")
              .setType(Value.Type.TEXT)
              .setText(Value.Text.newBuilder().setValue(rack)));
      offer.getDomainBuilder().getFaultDomainBuilder().getRegionBuilder().setName("earth");
      offer.getDomainBuilder().getFaultDomainBuilder().getZoneBuilder().setName("zone-" + rack);
    }
    return offer.build();
  }

  private static Resource[] plenty(String role) {
    return MesosResources.list(
            new AvailableResources(
                new Resources(4, 4096, 0), Ports.of(List.of(new Ports.Range(31000, 31009)))),
            role)
        .toArray(new Resource[0]);
  }

  private static Offer offer(String host, String rack) {
    return offer(host, rack, plenty("*"));
  }

  private final List<Offer> three = List.of(offer("h1", "a"), offer("h2", "a"), offer("h3", "b"));

  private Task queue(Block block) {
    Task task = Task.submitted(registry.lastSequence() + 1, block, Instant.now());
    registry.put(task);
    registry.enqueue(task);
    return task;
  }

  private static Requirements where(String... constraints) {
    return needs(List.of(), "", constraints);
  }

  private static Requirements needs(List<String> ports, String role, String... constraints) {
    List<Constraint> all = new ArrayList<>();
    for (String each : constraints) {
      String[] words = each.split(":", 3);
      all.add(Constraint.of(words[0], words[1], words.length > 2 ? words[2] : ""));
    }
    return new Requirements(new Resources(0.1, 32, 0), List.of(), ports, role, all);
  }

  private void group(int count, String... constraints) {
    for (int n = 0; n < count; n++) {
      queue(
          TestBlocks.needing(
              TestBlocks.from(TestBlocks.of("g." + n, "true"), new Origin("", "", "g", "")),
              where(constraints)));
    }
  }

  /** Launches what can be launched, and returns the number of tasks per host. */
  private Map<String, Integer> launch(List<Offer> there) {
    Map<String, Integer> counts = new TreeMap<>();
    offers
        .plan(there)
        .launches()
        .forEach(
            (its, placed) -> {
              counts.merge(its.get(0).getHostname(), placed.size(), Integer::sum);
              placed.forEach(
                  each -> {
                    registry.dequeue(each.task());
                    Offer at = its.get(0);
                    TaskLocation site =
                        new TaskLocation(
                            "F",
                            at.getAgentId().getValue(),
                            at.getHostname(),
                            "",
                            each.ports(),
                            "");
                    registry.put(
                        each.task()
                            .with(each.task().launch().at(site))
                            .with(TaskStatus.of(TaskState.RUNNING, ""), Instant.now()));
                  });
            });
    return counts;
  }

  private Optional<String> shortage(Task task) {
    return Optional.ofNullable(offers.shortages(List.of(task)).get(task));
  }

  @Test
  void uniqueTasksHaveAHostEach() {
    group(5, "hostname:UNIQUE");
    assertThat(launch(three)).isEqualTo(Map.of("h1", 1, "h2", 1, "h3", 1));
    assertThat(launch(three)).isEmpty();
    assertThat(shortage(registry.queue().iterator().next()).orElseThrow())
        .startsWith("fits on no agent: h1: hostname is h1, wants UNIQUE; h2: ");
  }

  @Test
  void atMostSoManyHaveTheSame() {
    group(9, "rack:MAX_PER:2");
    assertThat(launch(three)).isEqualTo(Map.of("h1", 2, "h3", 2));
  }

  @Test
  void aClusterIsInOnePlaceNamedOrNot() {
    group(3, "rack:CLUSTER:b");
    assertThat(launch(three)).isEqualTo(Map.of("h3", 3));
    queue(TestBlocks.needing(TestBlocks.of("other", "true"), where("rack:CLUSTER")));
    assertThat(launch(three)).isEqualTo(Map.of("h1", 1));
    group(2, "@zone:cluster");
    assertThat(launch(List.of(three.get(0)))).isEmpty();
    assertThat(launch(three)).isEqualTo(Map.of("h3", 2));
  }

  @Test
  void groupsAreEven() {
    group(8, "rack:GROUP_BY");
    assertThat(launch(three)).isEqualTo(Map.of("h1", 4, "h3", 4));
  }

  @Test
  void groupsAreEvenAmongTheAgentsThereAre() {
    launch(three);
    offers.agents().remove("S-h3");
    group(4, "rack:GROUP_BY");
    assertThat(launch(three.subList(0, 2)).values().stream().mapToInt(n -> n).sum()).isEqualTo(4);
  }

  @Test
  void anAgentThatVanishedDuringAnOutageIsNotWaitedFor() {
    launch(three);
    offers.agents().resubscribed(Set.of());
    group(4, "rack:GROUP_BY");
    assertThat(launch(three.subList(0, 2)).values().stream().mapToInt(n -> n).sum()).isEqualTo(4);
    assertThat(offers.agents().list()).extracting(Agent::hostname).containsExactly("h1", "h2");
  }

  @Test
  void anAgentWithTasksCountsForItsTasksUntilItIsHeardOf() {
    group(3, "rack:UNIQUE");
    assertThat(launch(three)).isEqualTo(Map.of("h1", 1, "h3", 1));
    offers.agents().resubscribed(Set.of("S-h1", "S-h3"));
    assertThat(offers.agents().list()).isEmpty();
    assertThat(launch(List.of(three.get(1)))).isEmpty();
    offers.agents().confirm("S-h1");
    assertThat(offers.agents().list()).extracting(Agent::hostname).contains("h1");
  }

  @Test
  void groupsThatAreStillToComeAreWaitedFor() {
    group(4, "rack:GROUP_BY:3");
    assertThat(launch(three)).isEqualTo(Map.of("h1", 1, "h3", 1));
    assertThat(launch(List.of(offer("h4", "c")))).isEqualTo(Map.of("h4", 2));
  }

  @Test
  void valuesAreComparedAndMatched() {
    queue(TestBlocks.needing(TestBlocks.of("is", "true"), where("rack:IS:b")));
    queue(
        TestBlocks.needing(
            TestBlocks.of("like", "true"), where("hostname:LIKE:h[23]", "rack:LIKE:a")));
    queue(TestBlocks.needing(TestBlocks.of("unlike", "true"), where("hostname:UNLIKE:h[12]")));
    queue(TestBlocks.needing(TestBlocks.of("region", "true"), where("region:IS:earth")));
    Task never = queue(TestBlocks.needing(TestBlocks.of("never", "true"), where("disk:IS:ssd")));
    assertThat(launch(three)).isEqualTo(Map.of("h1", 1, "h2", 1, "h3", 2));
    assertThat(shortage(never))
        .contains("fits on no agent: h1: has no disk; h2: has no disk; h3: has no disk");
  }

  @Test
  void whatHasNoSuchAttributeIsUnlikeAnything() {
    queue(TestBlocks.needing(TestBlocks.of("unlike", "true"), where("rack:UNLIKE:a")));
    assertThat(launch(List.of(offer("bare", "")))).isEqualTo(Map.of("bare", 1));
  }

  @Test
  void blocksOfOneNameCountTogetherAndOthersDoNot() {
    for (int n = 0; n < 2; n++) {
      queue(
          TestBlocks.needing(
              TestBlocks.from(TestBlocks.of("a-" + n, "true"), new Origin("a", "/d.org")),
              where("hostname:UNIQUE")));
    }
    queue(
        TestBlocks.needing(
            TestBlocks.from(TestBlocks.of("b", "true"), new Origin("b", "/d.org")),
            where("hostname:UNIQUE")));
    assertThat(launch(List.of(three.get(0)))).isEqualTo(Map.of("h1", 2));
  }

  @Test
  void portsAreGivenOnceAndNeverMoreThanThereAre() {
    for (int n = 0; n < 5; n++) {
      queue(
          TestBlocks.needing(TestBlocks.of("p" + n, "true"), needs(List.of("web", "1", "2"), "")));
    }
    assertThat(launch(List.of(three.get(0)))).isEqualTo(Map.of("h1", 3));
    List<Integer> given =
        registry.launched().stream()
            .flatMap(task -> task.launch().location().ports().stream())
            .toList();
    assertThat(given).hasSize(9).doesNotHaveDuplicates().allMatch(it -> it / 10 == 3100);
    Task greedy =
        queue(
            TestBlocks.needing(
                TestBlocks.of("greedy", "true"),
                needs(IntStream.range(0, 11).mapToObj(Integer::toString).toList(), "")));
    assertThat(shortage(greedy))
        .contains("fits on no agent: h1: ports: wants 11, largest offer 10");
  }

  @Test
  void aPortThatIsExposedByItsNumberIsWaitedFor() {
    Task redis =
        queue(
            TestBlocks.in(
                TestBlocks.of("redis", "true"),
                new ExecutionEnvironment(
                    Optional.of(
                        new Container(
                            new Image("redis", Image.Containerizer.DOCKER, false, true),
                            new Network("bridge", List.of(new Network.Exposed(6379, 6379))),
                            List.of(),
                            false)),
                    List.of(),
                    "",
                    Optional.empty(),
                    Set.of())));
    assertThat(launch(three)).isEmpty();
    assertThat(shortage(redis).orElseThrow())
        .contains("h1: ports: wants [6379-6379], which were not offered");
  }

  @Test
  void aRoleIsServedFromItsOwnOffersAndWhatIsReservedGoesFirst() {
    Resource reserved =
        MesosResources.list(new Resources(0.06, 0, 0), "prod").get(0).toBuilder()
            .addReservations(
                Resource.ReservationInfo.newBuilder()
                    .setType(Resource.ReservationInfo.Type.STATIC)
                    .setRole("prod"))
            .build();
    List<Resource> all = new ArrayList<>(List.of(plenty("prod")));
    all.add(reserved);
    Offer prod = offer("h1", "", all.toArray(new Resource[0]));
    queue(TestBlocks.of("anybody", "true"));
    Task task = queue(TestBlocks.needing(TestBlocks.of("prod", "true"), needs(List.of(), "prod")));
    OfferMatcher.Plan plan = offers.plan(List.of(prod, three.get(1)));
    Map<String, Set<String>> places = new TreeMap<>();
    plan.launches()
        .forEach(
            (its, placed) ->
                placed.forEach(
                    each ->
                        places
                            .computeIfAbsent(its.get(0).getHostname(), key -> new TreeSet<>())
                            .add(each.task().id().value())));
    assertThat(places).isEqualTo(Map.of("h1", Set.of("prod"), "h2", Set.of("anybody")));
    AvailableResources needed = new AvailableResources(task.block().resources(), Ports.NONE);
    Map<Boolean, Double> cpus =
        MesosResources.take(new ArrayList<>(prod.getResourcesList()), needed).stream()
            .filter(resource -> resource.getName().equals("cpus"))
            .collect(
                Collectors.toMap(
                    resource -> resource.getReservationsCount() > 0,
                    resource -> resource.getScalar().getValue()));
    assertThat(cpus).isEqualTo(Map.of(true, 0.06, false, 0.04));
  }

  @Test
  void eachAgentsReasonIsItsOwn() {
    offers.plan(three);
    Task big =
        queue(
            TestBlocks.needing(
                TestBlocks.of("big", "true"),
                new Requirements(
                    new Resources(1, 5000, 0),
                    List.of(),
                    List.of(),
                    "",
                    List.of(Constraint.of("rack", "IS", "b")))));
    assertThat(shortage(big))
        .contains(
            "fits on no agent: h1: rack is a, wants IS b; h2: rack is a, wants IS b;"
                + " h3: mem: wants 5000, largest offer 4096");
  }
}

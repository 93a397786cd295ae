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
import org.obmesos.cluster.Blocks;
import org.obmesos.driver.MesosResources;
import org.obmesos.task.Block;
import org.obmesos.task.Constraint;
import org.obmesos.task.Container;
import org.obmesos.task.Image;
import org.obmesos.task.Needs;
import org.obmesos.task.Network;
import org.obmesos.task.Origin;
import org.obmesos.task.Ports;
import org.obmesos.task.Resources;
import org.obmesos.task.Site;
import org.obmesos.task.Surroundings;
import org.obmesos.task.Task;
import org.obmesos.task.TaskState;
import org.obmesos.task.TaskStatus;

final class OfferMatcherTest {
  private final Roll roll = new Roll();
  private final OfferMatcher offers = new OfferMatcher(roll, true);

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
            new Resources(4, 4096, 0), Ports.of(List.of(new Ports.Range(31000, 31009))), role)
        .toArray(new Resource[0]);
  }

  private static Offer offer(String host, String rack) {
    return offer(host, rack, plenty("*"));
  }

  private final List<Offer> three = List.of(offer("h1", "a"), offer("h2", "a"), offer("h3", "b"));

  private Task queue(Block block) {
    Task task = Task.submitted(roll.nextSequence(), block, Instant.now());
    roll.put(task);
    roll.queue().add(task);
    return task;
  }

  private static Needs where(String... constraints) {
    return needs(List.of(), "", constraints);
  }

  private static Needs needs(List<String> ports, String role, String... constraints) {
    List<Constraint> all = new ArrayList<>();
    for (String each : constraints) {
      String[] words = each.split(":", 3);
      all.add(Constraint.of(words[0], words[1], words.length > 2 ? words[2] : ""));
    }
    return new Needs(new Resources(0.1, 32, 0), List.of(), ports, role, all);
  }

  private void group(int count, String... constraints) {
    for (int n = 0; n < count; n++) {
      queue(
          Blocks.needing(
              Blocks.from(Blocks.of("g." + n, "true"), new Origin("", "", "g")),
              where(constraints)));
    }
  }

  /** Launches what can be, and tells how many tasks went to each host. */
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
                    roll.queue().remove(each.task());
                    Offer at = its.get(0);
                    Site site =
                        new Site(
                            "F", at.getAgentId().getValue(), at.getHostname(), "", each.ports());
                    roll.launched(
                        each.task()
                            .with(each.task().placing().at(site))
                            .with(TaskStatus.of(TaskState.RUNNING, ""), Instant.now()));
                  });
            });
    return counts;
  }

  @Test
  void uniqueTasksHaveAHostEach() {
    group(5, "hostname:UNIQUE");
    assertThat(launch(three)).isEqualTo(Map.of("h1", 1, "h2", 1, "h3", 1));
    assertThat(launch(three)).isEmpty();
    assertThat(offers.shortage(roll.queue().iterator().next()).orElseThrow())
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
    queue(Blocks.needing(Blocks.of("other", "true"), where("rack:CLUSTER")));
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
  void groupsThatAreStillToComeAreWaitedFor() {
    group(4, "rack:GROUP_BY:3");
    assertThat(launch(three)).isEqualTo(Map.of("h1", 1, "h3", 1));
    assertThat(launch(List.of(offer("h4", "c")))).isEqualTo(Map.of("h4", 2));
  }

  @Test
  void valuesAreComparedAndMatched() {
    queue(Blocks.needing(Blocks.of("is", "true"), where("rack:IS:b")));
    queue(Blocks.needing(Blocks.of("like", "true"), where("hostname:LIKE:h[23]", "rack:LIKE:a")));
    queue(Blocks.needing(Blocks.of("unlike", "true"), where("hostname:UNLIKE:h[12]")));
    queue(Blocks.needing(Blocks.of("region", "true"), where("region:IS:earth")));
    Task never = queue(Blocks.needing(Blocks.of("never", "true"), where("disk:IS:ssd")));
    assertThat(launch(three)).isEqualTo(Map.of("h1", 1, "h2", 1, "h3", 2));
    assertThat(offers.shortage(never))
        .contains("fits on no agent: h1: has no disk; h2: has no disk; h3: has no disk");
  }

  @Test
  void whatHasNoSuchAttributeIsUnlikeAnything() {
    queue(Blocks.needing(Blocks.of("unlike", "true"), where("rack:UNLIKE:a")));
    assertThat(launch(List.of(offer("bare", "")))).isEqualTo(Map.of("bare", 1));
  }

  @Test
  void blocksOfOneNameCountTogetherAndOthersDoNot() {
    for (int n = 0; n < 2; n++) {
      queue(
          Blocks.needing(
              Blocks.from(Blocks.of("a-" + n, "true"), new Origin("a", "/d.org")),
              where("hostname:UNIQUE")));
    }
    queue(
        Blocks.needing(
            Blocks.from(Blocks.of("b", "true"), new Origin("b", "/d.org")),
            where("hostname:UNIQUE")));
    assertThat(launch(List.of(three.get(0)))).isEqualTo(Map.of("h1", 2));
  }

  @Test
  void portsAreGivenOnceAndNeverMoreThanThereAre() {
    for (int n = 0; n < 5; n++) {
      queue(Blocks.needing(Blocks.of("p" + n, "true"), needs(List.of("web", "1", "2"), "")));
    }
    assertThat(launch(List.of(three.get(0)))).isEqualTo(Map.of("h1", 3));
    List<Integer> given =
        roll.launched().stream().flatMap(task -> task.placing().site().ports().stream()).toList();
    assertThat(given).hasSize(9).doesNotHaveDuplicates().allMatch(it -> it / 10 == 3100);
    Task greedy =
        queue(
            Blocks.needing(
                Blocks.of("greedy", "true"),
                needs(IntStream.range(0, 11).mapToObj(Integer::toString).toList(), "")));
    assertThat(offers.shortage(greedy))
        .contains("fits on no agent: h1: ports: wants 11, largest offer 10");
  }

  @Test
  void aPortThatIsExposedByItsNumberIsWaitedFor() {
    Task redis =
        queue(
            Blocks.in(
                Blocks.of("redis", "true"),
                new Surroundings(
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
    assertThat(offers.shortage(redis).orElseThrow())
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
    queue(Blocks.of("anybody", "true"));
    Task task = queue(Blocks.needing(Blocks.of("prod", "true"), needs(List.of(), "prod")));
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
    Map<Boolean, Double> cpus =
        new OfferedResources(List.of(prod))
            .take(task).stream()
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
            Blocks.needing(
                Blocks.of("big", "true"),
                new Needs(
                    new Resources(1, 5000, 0),
                    List.of(),
                    List.of(),
                    "",
                    List.of(Constraint.of("rack", "IS", "b")))));
    assertThat(offers.shortage(big))
        .contains(
            "fits on no agent: h1: rack is a, wants IS b; h2: rack is a, wants IS b;"
                + " h3: mem: wants 5000, largest offer 4096");
  }
}

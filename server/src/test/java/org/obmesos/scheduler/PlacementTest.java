// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.obmesos.cluster.TestBlocks;
import org.obmesos.scheduler.Placement.Candidate;
import org.obmesos.task.AvailableResources;
import org.obmesos.task.Ports;
import org.obmesos.task.Requirements;
import org.obmesos.task.Resources;

final class PlacementTest {
  @Provide
  Arbitrary<List<Resources>> amounts() {
    return Combinators.combine(
            Arbitraries.integers().between(1, 80), Arbitraries.integers().between(1, 64))
        .as((cpus, mem) -> new Resources(cpus / 10.0, mem * 32, 0))
        .list()
        .ofMaxSize(30);
  }

  private static Map<Integer, List<Integer>> plan(List<Resources> offers, List<Resources> tasks) {
    Map<Integer, AvailableResources> byNumber = new LinkedHashMap<>();
    offers.forEach(
        offer -> byNumber.put(byNumber.size(), new AvailableResources(offer, Ports.NONE)));
    List<Candidate<Integer>> wanted = new ArrayList<>();
    tasks.forEach(
        task ->
            wanted.add(
                new Candidate<>(
                    wanted.size(),
                    TestBlocks.needing(TestBlocks.of("any", "true"), new Requirements(task)))));
    Map<Integer, List<Integer>> plan = new LinkedHashMap<>();
    Placement.plan(byNumber, wanted, ANYWHERE)
        .forEach(
            (offer, placed) ->
                plan.put(offer, placed.stream().map(Placement.Placed::task).toList()));
    return plan;
  }

  private static final Placement.Rule<Integer, Integer> ANYWHERE =
      new Placement.Rule<>() {
        @Override
        public boolean allows(Integer task, Integer offer) {
          return true;
        }

        @Override
        public void placed(Integer task, Integer offer) {}
      };

  @Property
  void noOfferIsCommittedBeyondWhatItHas(
      @ForAll("amounts") List<Resources> offers, @ForAll("amounts") List<Resources> tasks) {
    plan(offers, tasks)
        .forEach(
            (offer, chosen) ->
                assertThat(
                        offers
                            .get(offer)
                            .contains(
                                chosen.stream()
                                    .map(tasks::get)
                                    .reduce(Resources.NONE, Resources::plus)))
                    .isTrue());
  }

  @Property
  void noTaskIsLeftThatWouldStillFit(
      @ForAll("amounts") List<Resources> offers, @ForAll("amounts") List<Resources> tasks) {
    Map<Integer, List<Integer>> plan = plan(offers, tasks);
    Set<Integer> placed = new HashSet<>();
    plan.values().forEach(placed::addAll);
    for (int offer = 0; offer < offers.size(); offer++) {
      Resources left =
          offers
              .get(offer)
              .minus(
                  plan.getOrDefault(offer, List.of()).stream()
                      .map(tasks::get)
                      .reduce(Resources.NONE, Resources::plus));
      for (int task = 0; task < tasks.size(); task++) {
        assertThat(!placed.contains(task) && left.contains(tasks.get(task))).isFalse();
      }
    }
  }

  @Property
  void tasksKeepTheirOrderAndGoOnce(
      @ForAll("amounts") List<Resources> offers, @ForAll("amounts") List<Resources> tasks) {
    Map<Integer, List<Integer>> plan = plan(offers, tasks);
    List<Integer> all = new ArrayList<>();
    plan.values()
        .forEach(
            chosen -> {
              assertThat(chosen).isSorted();
              all.addAll(chosen);
            });
    assertThat(all).doesNotHaveDuplicates();
  }
}

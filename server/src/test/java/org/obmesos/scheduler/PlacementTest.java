// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
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
    Placement.plan(byNumber, wanted.stream(), ANYWHERE)
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
        public void placed(Integer task, Integer offer, boolean shares) {}
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

  /** All tasks but the first want to share, each agent's executor takes 0.1 cpus once. */
  private static List<Boolean> sharing(double offered, double... cpus) {
    Map<String, AvailableResources> offer =
        Map.of("agent", new AvailableResources(new Resources(offered, 1024, 0), Ports.NONE));
    List<Candidate<Integer>> queue = new ArrayList<>();
    for (double each : cpus) {
      queue.add(
          new Candidate<>(
              queue.size(),
              TestBlocks.needing(
                  TestBlocks.of("any", "true"), new Requirements(new Resources(each, 32, 0)))));
    }
    AvailableResources executor = new AvailableResources(new Resources(0.1, 32, 0), Ports.NONE);
    boolean[] started = new boolean[1];
    Placement.Rule<String, Integer> rule =
        new Placement.Rule<>() {
          @Override
          public boolean allows(Integer task, String where) {
            return true;
          }

          @Override
          public Optional<AvailableResources> overhead(Integer task, String where) {
            return task == 0
                ? Optional.empty()
                : Optional.of(started[0] ? AvailableResources.NONE : executor);
          }

          @Override
          public void placed(Integer task, String where, boolean shares) {
            started[0] |= shares;
          }
        };
    return Placement.plan(offer, queue.stream(), rule).getOrDefault("agent", List.of()).stream()
        .map(Placement.Placed::shares)
        .toList();
  }

  @Test
  void anExecutorTakesItsResourcesOnce() {
    assertThat(sharing(2.1, 0.5, 0.5, 0.5, 0.5)).containsExactly(false, true, true, true);
    assertThat(sharing(2.0, 0.5, 0.5, 0.5, 0.5)).containsExactly(false, true, true);
  }

  @Test
  void aTaskThatNeedsAllOfAnAgentGetsItThoughOthersShare() {
    assertThat(sharing(2.0, 2.0, 0.5)).containsExactly(false);
  }

  @Test
  void whereTheExecutorDoesNotFitATaskHasItsOwn() {
    assertThat(sharing(1.0, 0.5, 0.5)).containsExactly(false, false);
  }
}

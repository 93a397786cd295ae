// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.mesos.v1.Protos.Offer;
import org.obmesos.task.Task;

/**
 * Which waiting tasks go to which offers, and why others go nowhere: what the tasks say, the agents
 * and the other tasks decide. Used on the scheduler loop.
 */
final class OfferMatcher {
  private static final String ANYBODY = "*";

  /** How many names a person wants to read. */
  private static final int NAMES = 3;

  /** How many offers are remembered. */
  private static final int NOTES = 200;

  private final Deque<Note> notes = new ArrayDeque<>();

  private final Agents agents = new Agents();
  private final Roll roll;
  private final boolean roles;

  /**
   * For the tasks of a roll.
   *
   * @param roles whether there are roles
   */
  OfferMatcher(Roll roll, boolean roles) {
    this.roll = roll;
    this.roles = roles;
  }

  Agents agents() {
    return agents;
  }

  /**
   * What to do with offers.
   *
   * @param launches for offers that are used together, the tasks to launch there
   * @param unused the others
   * @param news whether something is known now that can tell why a task waits
   */
  record Plan(
      Map<List<Offer>, List<Placement.Placed<Task>>> launches, List<Offer> unused, boolean news) {}

  /** Divides offers among the tasks that wait; those of one agent and role are used together. */
  Plan plan(List<Offer> offers) {
    Map<Allocation, List<Offer>> allocations =
        offers.stream()
            .collect(
                Collectors.groupingBy(Allocation::of, LinkedHashMap::new, Collectors.toList()));
    Instant now = Instant.now();
    boolean news = false;
    Map<Allocation, Room> rooms = new LinkedHashMap<>();
    for (Map.Entry<Allocation, List<Offer>> allocation : allocations.entrySet()) {
      Room room = Room.of(allocation.getValue());
      news |= agents.note(allocation.getKey(), allocation.getValue(), room, now);
      if (!agents.isLeaving(allocation.getKey().agent())) {
        rooms.put(allocation.getKey(), room);
      }
    }
    Map<Allocation, List<Placement.Placed<Task>>> plan =
        Placement.plan(
            rooms,
            () ->
                StreamSupport.stream(roll.queue().spliterator(), false)
                    .map(task -> new Placement.Wanted<>(task, task.block()))
                    .iterator(),
            rule());
    Map<List<Offer>, List<Placement.Placed<Task>>> launches = new LinkedHashMap<>();
    plan.forEach((allocation, tasks) -> launches.put(allocations.remove(allocation), tasks));
    List<Offer> unused = new ArrayList<>();
    allocations.values().forEach(unused::addAll);
    launches.forEach((its, placed) -> note(its, "launched " + names(placed)));
    return new Plan(launches, unused, news);
  }

  private Placement.Rule<Allocation, Task> rule() {
    Peers peers = peers();
    return new Placement.Rule<>() {
      @Override
      public boolean suits(Task task, Allocation allocation) {
        String role = role(task);
        return (role.isEmpty() || role.equals(allocation.role()))
            && agents
                .get(allocation.agent())
                .map(agent -> peers.refusal(task, agent).isEmpty())
                .orElse(false);
      }

      @Override
      public void placed(Task task, Allocation allocation) {
        peers.placed(task, allocation.agent());
      }
    };
  }

  private static String names(List<Placement.Placed<Task>> placed) {
    return placed.stream()
            .limit(NAMES)
            .map(each -> each.task().id().value())
            .collect(Collectors.joining(", "))
        + (placed.size() > NAMES ? " and %d more".formatted(placed.size() - NAMES) : "");
  }

  /** Remembers for a while what was said to offers. */
  void note(List<Offer> offers, String said) {
    for (Offer offer : offers) {
      notes.addLast(new Note(Instant.now(), offer, said));
      if (notes.size() > NOTES) {
        notes.removeFirst();
      }
    }
  }

  /** What was said to an offer; made readable when somebody asks. */
  private record Note(Instant time, Offer offer, String said) {
    OfferNote readable() {
      Room room = Room.of(List.of(offer));
      return new OfferNote(
          time,
          offer.getHostname(),
          offer.getAllocationInfo().getRole(),
          room.scalars(),
          room.ports().size(),
          said);
    }
  }

  /** The last offers, the oldest first. */
  List<OfferNote> notes() {
    return notes.stream().map(Note::readable).toList();
  }

  /** The role whose offers a task takes; empty where there are no roles. */
  private String role(Task task) {
    String role = task.block().needs().role();
    return !roles ? "" : role.isEmpty() ? ANYBODY : role;
  }

  private Peers peers() {
    return new Peers(roll::launched, agents::get, agents.usable());
  }

  /** Why a waiting task cannot be launched, where that is known. */
  Optional<String> shortage(Task task) {
    return agents.shortage(task, role(task), peers());
  }
}

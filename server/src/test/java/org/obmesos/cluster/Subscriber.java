// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.FrameworkInfo;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.TaskStatus;
import org.apache.mesos.v1.scheduler.Mesos;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.apache.mesos.v1.scheduler.Scheduler;

/** Subscribes, keeps what it hears, and acknowledges as it should. */
final class Subscriber implements Scheduler {
  final List<Event> events = new CopyOnWriteArrayList<>();
  volatile FrameworkID id = FrameworkID.getDefaultInstance();
  volatile boolean acknowledges = true;

  Subscriber() {}

  /** Takes a framework over. */
  Subscriber(FrameworkID id) {
    this.id = id;
  }

  @Override
  public void connected(Mesos mesos) {
    FrameworkInfo.Builder info =
        FrameworkInfo.newBuilder()
            .setName("conformance")
            .setUser(System.getProperty("user.name"))
            .addRoles("*")
            .setCheckpoint(true)
            .setFailoverTimeout(60);
    for (FrameworkInfo.Capability.Type type :
        List.of(
            FrameworkInfo.Capability.Type.MULTI_ROLE,
            FrameworkInfo.Capability.Type.PARTITION_AWARE,
            FrameworkInfo.Capability.Type.TASK_KILLING_STATE,
            FrameworkInfo.Capability.Type.RESERVATION_REFINEMENT)) {
      info.addCapabilities(FrameworkInfo.Capability.newBuilder().setType(type));
    }
    Call.Builder call = Call.newBuilder().setType(Call.Type.SUBSCRIBE);
    if (!id.getValue().isEmpty()) {
      info.setId(id);
      call.setFrameworkId(id);
    }
    mesos.send(call.setSubscribe(Call.Subscribe.newBuilder().setFrameworkInfo(info)).build());
  }

  @Override
  public void disconnected(Mesos mesos) {}

  @Override
  public void received(Mesos mesos, Event event) {
    events.add(event);
    if (event.getType() == Event.Type.SUBSCRIBED) {
      id = event.getSubscribed().getFrameworkId();
    }
    TaskStatus status = event.getUpdate().getStatus();
    if (acknowledges && status.hasUuid()) {
      mesos.send(
          Call.newBuilder()
              .setType(Call.Type.ACKNOWLEDGE)
              .setFrameworkId(id)
              .setAcknowledge(
                  Call.Acknowledge.newBuilder()
                      .setAgentId(status.getAgentId())
                      .setTaskId(status.getTaskId())
                      .setUuid(status.getUuid()))
              .build());
    }
  }

  List<TaskStatus> of(String task) {
    return events.stream()
        .filter(event -> event.getType() == Event.Type.UPDATE)
        .map(event -> event.getUpdate().getStatus())
        .filter(status -> status.getTaskId().getValue().equals(task))
        .toList();
  }

  List<Offer> offers() {
    return events.stream().flatMap(event -> event.getOffers().getOffersList().stream()).toList();
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import com.google.protobuf.ByteString;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.ExecutorID;
import org.apache.mesos.v1.Protos.Filters;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.FrameworkInfo;
import org.apache.mesos.v1.Protos.InverseOffer;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.OfferID;
import org.apache.mesos.v1.Protos.TaskID;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.apache.mesos.v1.Protos.TaskStatus;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.obmesos.task.Task;
import org.obmesos.task.TaskLocation;

/** Creates the calls of a framework (Mesos' docs/scheduler-http-api.md). */
final class Calls {
  private final FrameworkID framework;

  Calls(FrameworkID framework) {
    this.framework = framework;
  }

  /**
   * Creates a SUBSCRIBE call.
   *
   * @param suppressed whether to start with suppressed offers
   */
  static Call subscribe(FrameworkInfo info, boolean suppressed) {
    Call.Subscribe.Builder subscribe = Call.Subscribe.newBuilder().setFrameworkInfo(info);
    if (suppressed) {
      subscribe.addAllSuppressedRoles(info.getRolesList());
    }
    Call.Builder call = Call.newBuilder().setType(Call.Type.SUBSCRIBE).setSubscribe(subscribe);
    if (info.hasId()) {
      call.setFrameworkId(info.getId());
    }
    return call.build();
  }

  /** Creates the description of the framework for SUBSCRIBE. */
  static FrameworkInfo frameworkInfo(
      FrameworkOptions options, Optional<String> id, Collection<String> roles, boolean gpus) {
    FrameworkInfo.Builder info =
        FrameworkInfo.newBuilder()
            .setName(options.name())
            .setUser(System.getProperty("user.name"))
            .addAllRoles(roles)
            .setCheckpoint(true)
            .setFailoverTimeout((double) options.failoverTimeout().toSeconds());
    if (gpus) {
      info.addCapabilities(
          FrameworkInfo.Capability.newBuilder()
              .setType(FrameworkInfo.Capability.Type.GPU_RESOURCES));
    }
    options.principal().ifPresent(info::setPrincipal);
    for (FrameworkInfo.Capability.Type capability :
        List.of(
            FrameworkInfo.Capability.Type.MULTI_ROLE,
            FrameworkInfo.Capability.Type.PARTITION_AWARE,
            FrameworkInfo.Capability.Type.TASK_KILLING_STATE,
            FrameworkInfo.Capability.Type.RESERVATION_REFINEMENT,
            FrameworkInfo.Capability.Type.REGION_AWARE)) {
      info.addCapabilities(FrameworkInfo.Capability.newBuilder().setType(capability));
    }
    id.ifPresent(value -> info.setId(FrameworkID.newBuilder().setValue(value)));
    return info.build();
  }

  private Call.Builder call(Call.Type type) {
    return Call.newBuilder().setType(type).setFrameworkId(framework);
  }

  /** Launches tasks on offers of one agent and role. */
  Call accept(Collection<OfferID> offers, List<TaskInfo> tasks, double refuseSeconds) {
    Call.Accept.Builder accept =
        Call.Accept.newBuilder()
            .addAllOfferIds(offers)
            .setFilters(Filters.newBuilder().setRefuseSeconds(refuseSeconds));
    accept
        .addOperationsBuilder()
        .setType(Offer.Operation.Type.LAUNCH)
        .setLaunch(Offer.Operation.Launch.newBuilder().addAllTaskInfos(tasks));
    return call(Call.Type.ACCEPT).setAccept(accept).build();
  }

  Call decline(Collection<OfferID> offers, double refuseSeconds) {
    return call(Call.Type.DECLINE)
        .setDecline(
            Call.Decline.newBuilder()
                .addAllOfferIds(offers)
                .setFilters(Filters.newBuilder().setRefuseSeconds(refuseSeconds)))
        .build();
  }

  /** Agrees to release the resources of a machine in maintenance. */
  Call acceptInverse(Collection<InverseOffer> offers) {
    Call.AcceptInverseOffers.Builder accept = Call.AcceptInverseOffers.newBuilder();
    offers.forEach(offer -> accept.addInverseOfferIds(offer.getId()));
    return call(Call.Type.ACCEPT_INVERSE_OFFERS).setAcceptInverseOffers(accept).build();
  }

  /** Removes the framework and all of its tasks. */
  Call tearDown() {
    return call(Call.Type.TEARDOWN).build();
  }

  Call suppress() {
    return call(Call.Type.SUPPRESS).build();
  }

  Call revive() {
    return call(Call.Type.REVIVE).build();
  }

  private static Optional<AgentID> agent(Task task) {
    String id = task.launch().location().agentId();
    return id.isEmpty() ? Optional.empty() : Optional.of(AgentID.newBuilder().setValue(id).build());
  }

  Call kill(Task task) {
    Call.Kill.Builder kill =
        Call.Kill.newBuilder().setTaskId(TaskID.newBuilder().setValue(task.mesosTaskId()));
    agent(task).ifPresent(kill::setAgentId);
    return call(Call.Type.KILL).setKill(kill).build();
  }

  /** Ends the executor of a location. */
  Call shutdown(TaskLocation location) {
    return call(Call.Type.SHUTDOWN)
        .setShutdown(
            Call.Shutdown.newBuilder()
                .setExecutorId(ExecutorID.newBuilder().setValue(location.executorId()))
                .setAgentId(AgentID.newBuilder().setValue(location.agentId())))
        .build();
  }

  /** Kills a task that is known only from an update. */
  Call kill(TaskStatus unknown) {
    return call(Call.Type.KILL)
        .setKill(
            Call.Kill.newBuilder().setTaskId(unknown.getTaskId()).setAgentId(unknown.getAgentId()))
        .build();
  }

  Call acknowledge(TaskStatus status, ByteString uuid) {
    return call(Call.Type.ACKNOWLEDGE)
        .setAcknowledge(
            Call.Acknowledge.newBuilder()
                .setAgentId(status.getAgentId())
                .setTaskId(status.getTaskId())
                .setUuid(uuid))
        .build();
  }

  Call reconcile(Collection<Task> tasks) {
    Call.Reconcile.Builder reconcile = Call.Reconcile.newBuilder();
    for (Task task : tasks) {
      Call.Reconcile.Task.Builder asked =
          Call.Reconcile.Task.newBuilder()
              .setTaskId(TaskID.newBuilder().setValue(task.mesosTaskId()));
      agent(task).ifPresent(asked::setAgentId);
      reconcile.addTasks(asked);
    }
    return call(Call.Type.RECONCILE).setReconcile(reconcile).build();
  }
}

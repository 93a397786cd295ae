// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.mesos.v1.scheduler.Mesos;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.obmesos.task.Task;
import org.obmesos.task.TaskState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Handles the master's events, on the scheduler thread. The methods of {@link Scheduler} may be
 * called on any thread.
 */
final class MasterEvents implements Scheduler {
  private static final Logger log = LoggerFactory.getLogger(MasterEvents.class);

  /** When to subscribe again after an ERROR event. */
  private static final Duration RESUBSCRIBE_DELAY = Duration.ofSeconds(5);

  private final SchedulerExecutor executor;
  private final TransactionQueue transactions;
  private final TaskRegistry registry;
  private final Subscription subscription;
  private final FrameworkListener listener;
  private final LaunchQueue launchQueue;
  private final Reconciler reconciler;
  private final UpdateHandler updateHandler;

  MasterEvents(
      LaunchQueue.Collaborators with,
      LaunchQueue launchQueue,
      Reconciler reconciler,
      UpdateHandler updateHandler) {
    this.executor = with.executor();
    this.transactions = with.transactions();
    this.registry = with.registry();
    this.subscription = with.subscription();
    this.listener = with.listener();
    this.launchQueue = launchQueue;
    this.reconciler = reconciler;
    this.updateHandler = updateHandler;
  }

  @Override
  public void connected(Mesos mesos) {
    executor.execute(() -> subscription.subscribe(registry.queue().isEmpty()));
  }

  @Override
  public void disconnected(Mesos mesos) {
    executor.execute(
        () -> {
          subscription.down();
          launchQueue.disconnected();
          reconciler.stop();
        });
  }

  @Override
  public void received(Mesos mesos, Event event) {
    executor.execute(
        () -> {
          switch (event.getType()) {
            case SUBSCRIBED -> {
              subscription.setMaster(event.getSubscribed().getMasterInfo());
              subscribed(event.getSubscribed().getFrameworkId().getValue());
            }
            case OFFERS -> launchQueue.add(event.getOffers().getOffersList());
            case UPDATE -> {
              launchQueue
                  .matcher()
                  .agents()
                  .confirm(event.getUpdate().getStatus().getAgentId().getValue());
              updateHandler.update(event.getUpdate().getStatus());
            }
            case RESCIND -> launchQueue.rescind(event.getRescind().getOfferId());
            case INVERSE_OFFERS ->
                subscription.send(
                    calls -> calls.acceptInverse(event.getInverseOffers().getInverseOffersList()));
            case FAILURE -> failed(event.getFailure());
            case ERROR -> error(event.getError().getMessage());
            default -> log.debug("event {}", event.getType());
          }
        });
  }

  private void failed(Event.Failure failure) {
    if (failure.hasExecutorId()) {
      launchQueue.executorEnded(failure.getExecutorId().getValue());
    } else if (failure.hasAgentId()) {
      launchQueue.agentRemoved(failure.getAgentId().getValue());
    }
  }

  /** The id of a new framework is stored before anything is launched under it. */
  private void subscribed(String id) {
    subscription.setId(id);
    if (registry.frameworkId().equals(Optional.of(id))) {
      subscriptionUp();
      return;
    }
    int connection = subscription.connection();
    transactions.submit(
        new TransactionQueue.Operation() {
          @Override
          public void prepare(Draft draft) {
            if (subscription.connection() == connection) {
              draft.setFrameworkId(id);
            }
          }

          @Override
          public void committed() {
            // The connection may have been lost during the commit.
            if (subscription.connection() == connection) {
              subscriptionUp();
            }
          }

          @Override
          public void failed(RuntimeException cause) {
            var unused = executor.schedule(LaunchQueue.RETRY, () -> transactions.submit(this));
          }
        });
  }

  private void subscriptionUp() {
    subscription.up();
    listener.cluster(true, "");
    subscription.id().ifPresent(launchQueue::subscribedAs);
    launchQueue
        .matcher()
        .agents()
        .resubscribed(
            registry.launched().stream()
                .map(task -> task.launch().location().agentId())
                .collect(Collectors.toSet()));
    reconciler.start();
    updateHandler.repeatKills();
    launchQueue.revive();
    launchQueue.match();
  }

  /**
   * The master ends the subscription. Either another server has subscribed with the same framework
   * id; to subscribe again would only evict that one. Or the framework was removed, and its tasks
   * with it. Anything else is tried again.
   */
  private void error(String message) {
    subscription.down();
    if (message.equals("Framework has been removed") || message.contains("Completed framework")) {
      log.warn("{}; its tasks are lost, and a new framework begins", message);
      subscription.id().ifPresent(id -> updateHandler.frameworkRemoved(id, message));
      subscription.startNewFramework();
    } else if (message.contains("failed over")) {
      listener.cluster(false, message);
      subscription.close();
    } else {
      listener.cluster(false, message);
      launchQueue.refuseRoles(subscription.dropRoles(message), message);
      var unused = executor.schedule(RESUBSCRIBE_DELAY, subscription::resubscribe);
    }
  }

  /** Asks for all tasks the master knows (Mesos' docs/reconciliation.md, "implicit"). */
  void reconcileAll() {
    subscription.reconcile(List.of());
  }

  /**
   * Asks for the tasks of which no update may come. An ACCEPT call can get lost in a master that
   * dies. The master handles the calls of a connection in order, so it never denies a task whose
   * ACCEPT is on its way. An agent that registers again does not resend the last update of a task
   * if that was acknowledged.
   */
  void reconcileUncertain() {
    List<Task> uncertain =
        registry.launched().stream()
            .filter(
                task -> task.state() == TaskState.STAGING || task.state() == TaskState.UNREACHABLE)
            .toList();
    if (!uncertain.isEmpty()) {
      subscription.reconcile(uncertain);
    }
  }
}

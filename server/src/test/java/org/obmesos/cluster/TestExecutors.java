// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.apache.mesos.v1.Protos.AgentInfo;
import org.apache.mesos.v1.Protos.ExecutorInfo;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.apache.mesos.v1.Protos.TaskState;
import org.apache.mesos.v1.Protos.TaskStatus;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.obmesos.local.LocalSandboxes;

/**
 * The part of an agent that starts custom executors and talks with them over {@code
 * /api/v1/executor}, as the recording of a real agent has it; before a cluster that runs all other
 * tasks. Resources of executor tasks are checked against the offer, not accounted after that.
 */
final class TestExecutors implements ClusterFixture, AutoCloseable {
  private final ClusterFixture cluster;
  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Map<String, Executor> executors = new LinkedHashMap<>();
  private final Map<String, ExecutorTask> tasks = new LinkedHashMap<>();
  private final Map<String, Offer> offers = new LinkedHashMap<>();
  private volatile Consumer<Event> subscriber = event -> {};
  private boolean restarting;
  private String recoveryTimeout = "15mins";
  private Optional<String> command = Optional.empty();
  private final Map<String, String> variables = new LinkedHashMap<>();
  private final int port;
  private int started;

  /** A task and its updates, of which the first is sent until it is acknowledged. */
  private final class ExecutorTask {
    private final TaskInfo info;
    private final Deque<TaskStatus> updates = new ArrayDeque<>();
    private TaskState state = TaskState.TASK_STAGING;
    private boolean delivered;

    ExecutorTask(TaskInfo info) {
      this.info = info;
    }

    boolean hasEnded() {
      return switch (state) {
        case TASK_FINISHED, TASK_FAILED, TASK_KILLED -> true;
        default -> false;
      };
    }

    void add(TaskStatus status) {
      if (updates.stream().anyMatch(known -> known.getUuid().equals(status.getUuid()))) {
        return;
      }
      state = status.getState();
      updates.add(status);
      if (updates.size() == 1) {
        send(status);
      }
    }
  }

  private static final class Executor {
    private final ExecutorInfo info;
    private final Process process;
    private Optional<OutputStream> stream = Optional.empty();

    Executor(ExecutorInfo info, Process process) {
      this.info = info;
      this.process = process;
    }

    void send(org.apache.mesos.v1.executor.Protos.Event.Builder event) {
      if (stream.isEmpty()) {
        return;
      }
      try {
        byte[] json =
            JsonFormat.printer()
                .preservingProtoFieldNames()
                .omittingInsignificantWhitespace()
                .print(event)
                .getBytes(StandardCharsets.UTF_8);
        stream.get().write((json.length + "\n").getBytes(StandardCharsets.UTF_8));
        stream.get().write(json);
        stream.get().flush();
      } catch (IOException e) {
        stream = Optional.empty();
      }
    }

    void deliver(ExecutorTask task) {
      if (stream.isPresent() && !task.delivered) {
        task.delivered = true;
        var event = event("LAUNCH");
        event.getLaunchBuilder().setTask(task.info);
        send(event);
      }
    }
  }

  TestExecutors(ClusterFixture cluster) throws IOException {
    this.cluster = cluster;
    this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    this.port = server.getAddress().getPort();
    server.createContext("/slave(1)/api/v1/executor", this::api);
    server.setExecutor(threads);
    server.start();
  }

  /** Executors started from now on run this command in place of theirs. */
  synchronized void replaceCommand(String other) {
    command = Optional.of(other);
  }

  /** Executors started from now on wait so long for the agent, such as 1secs. */
  synchronized void recoveryTimeout(String duration) {
    recoveryTimeout = duration;
  }

  /** Executors started from now on have this environment variable, in place of the agent's. */
  synchronized void environment(String name, String value) {
    variables.put(name, value);
  }

  /** Returns the port of the agent's API. */
  int port() {
    return port;
  }

  private synchronized void shutDown(String executorId) {
    Executor executor = executors.get(executorId);
    if (executor != null) {
      executor.send(event("SHUTDOWN"));
    }
  }

  /** Sends SHUTDOWN to all executors. */
  synchronized void shutDown() {
    executors.values().forEach(executor -> executor.send(event("SHUTDOWN")));
  }

  /** Returns the number of executors that run. */
  synchronized int running() {
    return executors.size();
  }

  /** Returns the number of executors that were started. */
  synchronized int started() {
    return started;
  }

  /** Kills all executors with SIGKILL; an agent then kills the rest of their containers. */
  synchronized void killExecutors() {
    executors.values().forEach(TestExecutors::kill);
  }

  private static void kill(Executor executor) {
    List<ProcessHandle> container = executor.process.descendants().toList();
    executor.process.destroyForcibly();
    container.forEach(ProcessHandle::destroyForcibly);
  }

  /** The agent ends: its connections break, and it answers 503 until it is back. */
  synchronized void leave() {
    restarting = true;
    for (Executor executor : executors.values()) {
      executor.stream.ifPresent(
          stream -> {
            try {
              stream.close();
            } catch (IOException e) {
              // The connection is broken either way.
              executor.stream = Optional.empty();
            }
          });
      executor.stream = Optional.empty();
    }
    notifyAll();
  }

  /** The agent is back. */
  synchronized void comeBack() {
    restarting = false;
  }

  @Override
  public Path directory() {
    return cluster.directory();
  }

  @Override
  public void subscriber(Consumer<Event> next) {
    subscriber = next;
    cluster.subscriber(
        event -> {
          Event.Builder changed = event.toBuilder();
          synchronized (this) {
            if (event.hasOffers()) {
              for (Offer.Builder offer : changed.getOffersBuilder().getOffersBuilderList()) {
                executors.values().forEach(it -> offer.addExecutorIds(it.info.getExecutorId()));
                offers.put(offer.getId().getValue(), offer.build());
              }
            }
          }
          subscriber.accept(event.hasOffers() ? changed.build() : event);
          if (event.hasSubscribed()) {
            resend();
          }
        });
  }

  private synchronized void resend() {
    tasks.values().stream()
        .filter(task -> !task.updates.isEmpty())
        .forEach(task -> send(task.updates.peek()));
  }

  private void send(TaskStatus status) {
    subscriber.accept(
        Event.newBuilder()
            .setType(Event.Type.UPDATE)
            .setUpdate(Event.Update.newBuilder().setStatus(status))
            .build());
  }

  @Override
  public CompletableFuture<Void> call(Call call) {
    switch (call.getType()) {
      case ACCEPT -> {
        List<TaskInfo> ours = new ArrayList<>();
        Call rest = withoutOurs(call, ours);
        CompletableFuture<Void> answer = cluster.call(rest);
        accept(call, ours);
        return answer;
      }
      case ACKNOWLEDGE -> {
        if (acknowledge(call.getAcknowledge())) {
          return CompletableFuture.completedFuture(null);
        }
      }
      case KILL -> {
        if (kill(call.getKill().getTaskId().getValue())) {
          return CompletableFuture.completedFuture(null);
        }
      }
      case RECONCILE -> {
        return cluster.call(reconcile(call));
      }
      case SHUTDOWN -> {
        shutDown(call.getShutdown().getExecutorId().getValue());
        return CompletableFuture.completedFuture(null);
      }
      default -> {}
    }
    return cluster.call(call);
  }

  private static Call withoutOurs(Call call, List<TaskInfo> ours) {
    Call.Builder rest = call.toBuilder();
    for (Offer.Operation.Builder operation : rest.getAcceptBuilder().getOperationsBuilderList()) {
      List<TaskInfo> infos = operation.getLaunch().getTaskInfosList();
      infos.stream().filter(TaskInfo::hasExecutor).forEach(ours::add);
      operation.setLaunch(
          Offer.Operation.Launch.newBuilder()
              .addAllTaskInfos(infos.stream().filter(info -> !info.hasExecutor()).toList()));
    }
    return rest.build();
  }

  private synchronized void accept(Call call, List<TaskInfo> infos) {
    double cpus =
        call.getAccept().getOfferIdsList().stream()
            .map(id -> offers.get(id.getValue()))
            .mapToDouble(offer -> TestBlocks.scalars(offer.getResourcesList()).cpus())
            .sum();
    for (TaskInfo info : infos) {
      String id = info.getExecutor().getExecutorId().getValue();
      Optional<Executor> running = Optional.ofNullable(executors.get(id));
      cpus -= TestBlocks.scalars(info.getResourcesList()).cpus();
      if (running.isEmpty()) {
        cpus -= TestBlocks.scalars(info.getExecutor().getResourcesList()).cpus();
      }
      if (cpus < -0.0001) {
        send(refused(info, "more resources than available"));
      } else if (running.isPresent() && !running.get().info.equals(info.getExecutor())) {
        send(refused(info, "ExecutorInfo is not compatible with existing ExecutorInfo"));
      } else {
        ExecutorTask task = new ExecutorTask(info);
        tasks.put(info.getTaskId().getValue(), task);
        executors.computeIfAbsent(id, key -> start(info)).deliver(task);
      }
    }
  }

  private static TaskStatus refused(TaskInfo info, String message) {
    return TaskStatus.newBuilder()
        .setTaskId(info.getTaskId())
        .setAgentId(info.getAgentId())
        .setState(TaskState.TASK_ERROR)
        .setSource(TaskStatus.Source.SOURCE_MASTER)
        .setReason(TaskStatus.Reason.REASON_TASK_INVALID)
        .setMessage(message)
        .build();
  }

  /** Starts an executor with the environment of the recording. */
  private Executor start(TaskInfo task) {
    ExecutorInfo info = task.getExecutor();
    String framework = info.getFrameworkId().getValue();
    Path sandbox =
        new LocalSandboxes(directory()).of(framework, info.getExecutorId().getValue()).root();
    try {
      Files.createDirectories(sandbox);
      ProcessBuilder builder =
          new ProcessBuilder("/bin/sh", "-c", command.orElse(info.getCommand().getValue()))
              .directory(sandbox.toFile())
              .redirectOutput(sandbox.resolve("stdout").toFile())
              .redirectError(sandbox.resolve("stderr").toFile());
      Map<String, String> environment = builder.environment();
      info.getCommand()
          .getEnvironment()
          .getVariablesList()
          .forEach(variable -> environment.put(variable.getName(), variable.getValue()));
      environment.put("MESOS_AGENT_ENDPOINT", "127.0.0.1:" + port);
      environment.put("MESOS_SLAVE_PID", "slave(1)@127.0.0.1:" + port);
      environment.put("MESOS_CHECKPOINT", "1");
      environment.put("MESOS_EXECUTOR_ID", info.getExecutorId().getValue());
      environment.put("MESOS_FRAMEWORK_ID", framework);
      environment.put("MESOS_SANDBOX", sandbox.toString());
      environment.put("MESOS_DIRECTORY", sandbox.toString());
      environment.put("MESOS_SUBSCRIPTION_BACKOFF_MAX", "200ms");
      environment.put("MESOS_RECOVERY_TIMEOUT", recoveryTimeout);
      environment.put("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "5secs");
      environment.put("MESOS_EXECUTOR_AUTHENTICATION_TOKEN", "token-of-" + framework);
      environment.putAll(variables);
      Process process = builder.start();
      started++;
      var unused = process.onExit().thenAccept(ended -> ended(task, ended.exitValue()));
      return new Executor(info, process);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** An executor has ended, and the tasks that it had with it (slave.cpp, executorTerminated). */
  private synchronized void ended(TaskInfo first, int status) {
    String id = first.getExecutor().getExecutorId().getValue();
    executors.remove(id);
    for (ExecutorTask task : tasks.values()) {
      if (task.info.getExecutor().getExecutorId().getValue().equals(id) && !task.hasEnded()) {
        task.add(
            TaskStatus.newBuilder()
                .setTaskId(task.info.getTaskId())
                .setAgentId(task.info.getAgentId())
                .setExecutorId(first.getExecutor().getExecutorId())
                .setState(TaskState.TASK_FAILED)
                .setSource(TaskStatus.Source.SOURCE_AGENT)
                .setReason(TaskStatus.Reason.REASON_EXECUTOR_TERMINATED)
                .setMessage("Executor terminated")
                .setUuid(uuid())
                .build());
      }
    }
    subscriber.accept(
        Event.newBuilder()
            .setType(Event.Type.FAILURE)
            .setFailure(
                Event.Failure.newBuilder()
                    .setAgentId(first.getAgentId())
                    .setExecutorId(first.getExecutor().getExecutorId())
                    .setStatus(status))
            .build());
  }

  private static com.google.protobuf.ByteString uuid() {
    UUID uuid = UUID.randomUUID();
    return com.google.protobuf.ByteString.copyFrom(
        ByteBuffer.allocate(16)
            .putLong(uuid.getMostSignificantBits())
            .putLong(uuid.getLeastSignificantBits())
            .array());
  }

  private synchronized boolean acknowledge(Call.Acknowledge acknowledge) {
    ExecutorTask task = tasks.get(acknowledge.getTaskId().getValue());
    if (task == null) {
      return false;
    }
    if (!task.updates.isEmpty() && task.updates.peek().getUuid().equals(acknowledge.getUuid())) {
      task.updates.remove();
      if (!task.updates.isEmpty()) {
        send(task.updates.peek());
      } else if (task.hasEnded()) {
        tasks.remove(acknowledge.getTaskId().getValue());
      }
    }
    return true;
  }

  private synchronized boolean kill(String id) {
    ExecutorTask task = tasks.get(id);
    if (task == null) {
      return false;
    }
    Executor executor = executors.get(task.info.getExecutor().getExecutorId().getValue());
    if (executor != null) {
      var event = event("KILL");
      event.getKillBuilder().setTaskId(task.info.getTaskId());
      executor.send(event);
    }
    return true;
  }

  /** Answers for the tasks of executors; returns the call for the others. */
  private synchronized Call reconcile(Call call) {
    boolean all = call.getReconcile().getTasksCount() == 0;
    Call.Builder rest = call.toBuilder();
    rest.getReconcileBuilder().clearTasks();
    for (Call.Reconcile.Task asked : call.getReconcile().getTasksList()) {
      if (tasks.containsKey(asked.getTaskId().getValue())) {
        answer(tasks.get(asked.getTaskId().getValue()));
      } else {
        rest.getReconcileBuilder().addTasks(asked);
      }
    }
    if (all) {
      tasks.values().stream().filter(task -> !task.hasEnded()).forEach(this::answer);
    } else if (rest.getReconcile().getTasksCount() == 0) {
      // Nothing is left to ask; without tasks it would ask for all.
      rest.getReconcileBuilder()
          .addTasks(
              Call.Reconcile.Task.newBuilder()
                  .setTaskId(
                      org.apache.mesos.v1.Protos.TaskID.newBuilder().setValue("nothing-asked")));
    }
    return rest.build();
  }

  private void answer(ExecutorTask task) {
    send(
        TaskStatus.newBuilder()
            .setTaskId(task.info.getTaskId())
            .setAgentId(task.info.getAgentId())
            // A master is not ahead of the updates.
            .setState(task.updates.isEmpty() ? task.state : task.updates.peek().getState())
            .setSource(TaskStatus.Source.SOURCE_MASTER)
            .setReason(TaskStatus.Reason.REASON_RECONCILIATION)
            .setMessage("Reconciliation: Latest task state")
            .build());
  }

  private static org.apache.mesos.v1.executor.Protos.Event.Builder event(String type) {
    return org.apache.mesos.v1.executor.Protos.Event.newBuilder()
        .setType(org.apache.mesos.v1.executor.Protos.Event.Type.valueOf(type));
  }

  private void api(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    var call = parse(body);
    String token = "Bearer token-of-" + call.getFrameworkId().getValue();
    if (!token.equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
      TestMaster.answer(exchange, 401, "");
    } else if (isRestarting()) {
      TestMaster.answer(exchange, 503, "Agent has not finished recovery");
    } else if (call.hasSubscribe()) {
      subscribe(exchange, call);
    } else if ((call.getUpdate().getStatus().getUuid().byteAt(8) & 0xc0) != 0x80) {
      TestMaster.answer(exchange, 400, "Failed to validate Executor::Call: Not a valid UUID");
    } else {
      update(call);
      TestMaster.answer(exchange, 202, "");
    }
    exchange.close();
  }

  private static org.apache.mesos.v1.executor.Protos.Call parse(byte[] body)
      throws InvalidProtocolBufferException {
    var call = org.apache.mesos.v1.executor.Protos.Call.newBuilder();
    JsonFormat.parser().merge(new String(body, StandardCharsets.UTF_8), call);
    return call.build();
  }

  private synchronized boolean isRestarting() {
    return restarting;
  }

  private synchronized void subscribe(
      HttpExchange exchange, org.apache.mesos.v1.executor.Protos.Call call) throws IOException {
    Executor executor = executors.get(call.getExecutorId().getValue());
    if (executor == null) {
      TestMaster.answer(exchange, 403, "Executor is not known");
      return;
    }
    exchange.sendResponseHeaders(200, 0);
    OutputStream stream = exchange.getResponseBody();
    executor.stream = Optional.of(stream);
    TaskInfo any =
        tasks.values().stream()
            .map(task -> task.info)
            .filter(info -> info.getExecutor().getExecutorId().equals(call.getExecutorId()))
            .findFirst()
            .orElse(TaskInfo.getDefaultInstance());
    var subscribed = event("SUBSCRIBED");
    subscribed
        .getSubscribedBuilder()
        .setExecutorInfo(executor.info)
        .setFrameworkInfo(
            org.apache.mesos.v1.Protos.FrameworkInfo.newBuilder().setUser("").setName("test"))
        .setAgentInfo(AgentInfo.newBuilder().setHostname("localhost").setId(any.getAgentId()));
    executor.send(subscribed);
    call.getSubscribe().getUnacknowledgedUpdatesList().forEach(this::take);
    for (ExecutorTask task : tasks.values()) {
      if (task.info.getExecutor().getExecutorId().equals(call.getExecutorId())) {
        executor.deliver(task);
      }
    }
    try {
      while (executor.stream.equals(Optional.of(stream)) && executor.process.isAlive()) {
        wait(100);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void update(org.apache.mesos.v1.executor.Protos.Call call) {
    take(call.getUpdate());
  }

  /** Stores an update, then acknowledges it to the executor. */
  private void take(org.apache.mesos.v1.executor.Protos.Call.Update update) {
    ExecutorTask task = tasks.get(update.getStatus().getTaskId().getValue());
    if (task != null) {
      task.add(update.getStatus().toBuilder().setAgentId(task.info.getAgentId()).build());
    }
    Executor executor = executors.get(update.getStatus().getExecutorId().getValue());
    if (executor != null) {
      var event = event("ACKNOWLEDGED");
      event
          .getAcknowledgedBuilder()
          .setTaskId(update.getStatus().getTaskId())
          .setUuid(update.getStatus().getUuid());
      executor.send(event);
    }
  }

  @Override
  public void close() {
    leave();
    killExecutors();
    server.stop(0);
    threads.shutdownNow();
  }
}

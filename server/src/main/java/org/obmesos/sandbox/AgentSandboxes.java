// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.apache.mesos.v1.Protos.ContainerID;
import org.apache.mesos.v1.Protos.ResourceStatistics;
import org.apache.mesos.v1.agent.Protos.Call;
import org.apache.mesos.v1.agent.Protos.Response;
import org.obmesos.driver.MesosHttpClient;
import org.obmesos.task.Task;
import org.obmesos.task.TaskLocation;
import org.obmesos.task.Usage;

/** The sandboxes on the agents of a cluster, read over the agents' HTTP API. */
public final class AgentSandboxes implements Sandboxes {
  private static final long KIB = 1024;

  private final MesosHttpClient http;
  private final Map<String, String> addresses;

  /**
   * Creates the sandboxes of all agents.
   *
   * @param addresses other addresses for agents ({@code host:port}, or with a scheme), by the
   *     {@code host:port} that their offers name
   */
  public AgentSandboxes(MesosHttpClient http, Map<String, String> addresses) {
    this.http = Objects.requireNonNull(http, "http");
    this.addresses = Map.copyOf(addresses);
  }

  /**
   * Checks an address that replaces an agent's.
   *
   * @throws IllegalArgumentException if it is not one, with a sentence for the user
   */
  public static void checkAddress(String name, String address) {
    String host = "(\\[[0-9A-Fa-f:.]+]|[^\\s:/\\[\\]@?#]+):\\d{1,5}";
    if (!name.matches(host)) {
      throw new IllegalArgumentException("the agent's name is host:port, not '" + name + "'");
    }
    if (!address.matches("(https?://)?" + host)) {
      throw new IllegalArgumentException(
          "the address is host:port or http(s)://host:port, not '" + address + "'");
    }
  }

  @Override
  public Sandbox of(Task task) {
    TaskLocation location = task.launch().location();
    boolean shared = !location.executorId().isEmpty();
    String directory =
        "/frameworks/"
            + location.frameworkId()
            + "/executors/"
            + executorId(task)
            + "/runs/latest"
            + (shared ? "/tasks/" + task.mesosTaskId() : "");
    return location.agentUrl().isEmpty()
        ? new UnknownAgentSandbox()
        : new AgentSandbox(
            new AgentHttpClient(http, address(location.agentUrl())), directory, !shared);
  }

  private static String executorId(Task task) {
    String executorId = task.launch().location().executorId();
    return executorId.isEmpty() ? task.mesosTaskId() : executorId;
  }

  @Override
  public Execution exec(Task task, ExecRequest request) throws IOException {
    TaskLocation location = task.launch().location();
    if (location.agentUrl().isEmpty()) {
      throw UnknownAgentSandbox.unknown();
    }
    AgentHttpClient agent = new AgentHttpClient(http, address(location.agentUrl()));
    Map<String, String> variables = new LinkedHashMap<>(task.block().program().environment());
    variables.put("MESOS_TASK_ID", task.mesosTaskId());
    return AgentSession.start(agent, container(agent, task), variables, inDirectory(task, request));
  }

  /**
   * A session begins in the directory and with the environment of the executor; a task of a shared
   * one has its own (executor.pl), by which the executor also finds the processes to kill. A shell
   * says what is wrong with a command, and exits with 127 then.
   */
  private static ExecRequest inDirectory(Task task, ExecRequest request) {
    boolean own = task.launch().location().executorId().isEmpty();
    // A size that is sent comes later.
    String size =
        request
            .terminal()
            .map(it -> "stty rows %d cols %d 2>/dev/null; ".formatted(it.rows(), it.columns()))
            .orElse("");
    List<String> words =
        new ArrayList<>(
            own
                ? List.of("/bin/sh", "-c", size + "exec \"$@\"", "sh")
                : List.of(
                    "/bin/sh",
                    "-c",
                    size
                        + "MESOS_SANDBOX=$MESOS_SANDBOX/$0 && cd \"$MESOS_SANDBOX\""
                        + " && export MESOS_SANDBOX MESOS_DIRECTORY=\"$MESOS_SANDBOX\""
                        + " && unset OB_MESOS_EXECUTOR MESOS_EXECUTOR_AUTHENTICATION_TOKEN"
                        + " && exec \"$@\"",
                    "tasks/" + task.mesosTaskId()));
    words.addAll(request.command());
    return new ExecRequest(words, request.terminal());
  }

  private static List<Response.GetContainers.Container> containers(AgentHttpClient agent)
      throws IOException {
    HttpResponse<byte[]> response =
        agent.call(Call.newBuilder().setType(Call.Type.GET_CONTAINERS).build());
    if (response.statusCode() != 200) {
      throw agent.refusal(response);
    }
    return Response.parseFrom(response.body()).getGetContainers().getContainersList();
  }

  @Override
  public Map<String, Usage> usage(String agentUrl) throws IOException {
    Map<String, Usage> usages = new LinkedHashMap<>();
    for (Response.GetContainers.Container container :
        containers(new AgentHttpClient(http, address(agentUrl)))) {
      ResourceStatistics statistics = container.getResourceStatistics();
      usages.put(
          container.getExecutorId().getValue(),
          new Usage(
              Optional.empty(),
              statistics.hasCpusUserTimeSecs()
                  ? Optional.of(
                      statistics.getCpusUserTimeSecs() + statistics.getCpusSystemTimeSecs())
                  : Optional.empty(),
              statistics.hasMemRssBytes()
                  ? Optional.of(statistics.getMemRssBytes() / KIB)
                  : Optional.empty()));
    }
    return usages;
  }

  private static ContainerID container(AgentHttpClient agent, Task task) throws IOException {
    return containers(agent).stream()
        .filter(it -> it.getExecutorId().getValue().equals(executorId(task)))
        .filter(it -> it.getFrameworkId().getValue().equals(task.launch().location().frameworkId()))
        .findFirst()
        .orElseThrow(() -> new IOException("the agent has no container for the task"))
        .getContainerId();
  }

  /** Returns the address to reach an agent at. */
  URI address(String agentUrl) {
    URI uri = URI.create(agentUrl);
    String other = addresses.get(uri.getAuthority());
    if (other == null) {
      return uri;
    }
    return URI.create(other.contains("://") ? other : uri.getScheme() + "://" + other);
  }

  @Override
  public AgentMetrics metrics(String agentUrl) throws IOException {
    return agentUrl.isEmpty()
        ? AgentMetrics.NONE
        : new AgentHttpClient(http, address(agentUrl)).metrics();
  }

  @Override
  public void delete(Task task) {
    // An agent collects its own garbage.
  }

  /** The sandbox of a task whose agent has not said where it can be reached. */
  private static final class UnknownAgentSandbox implements Sandbox {
    private static IOException unknown() {
      return new IOException("the offer of its agent had no address");
    }

    @Override
    public long size(String path) throws IOException {
      throw unknown();
    }

    @Override
    public byte[] read(String path, long offset, int length) throws IOException {
      throw unknown();
    }

    @Override
    public List<Entry> list(String path) throws IOException {
      throw unknown();
    }

    @Override
    public String location() {
      return "";
    }
  }
}

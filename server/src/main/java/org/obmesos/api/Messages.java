// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.api;

import java.util.List;
import java.util.Map;
import org.obmesos.sandbox.AgentMetrics;

/**
 * The messages of the protocol, as JSON. Resources are in MiB, durations in seconds, times in
 * milliseconds since 1970, offsets and lengths in bytes. A component that is null is left out.
 */
public final class Messages {
  private Messages() {}

  /** The name and version of a client or server. */
  public record PeerInfo(String name, String version) {}

  /** Parameters of {@code initialize}. */
  public record InitializeParams(PeerInfo clientInfo) {}

  /** Result of {@code initialize}. */
  public record InitializeResult(
      PeerInfo serverInfo, String master, String stateDirectory, int slot) {}

  /** Parameters of {@code shutdown}: the tasks to kill first. */
  public record ShutdownParams(List<String> kill) {}

  /** Parameters without content. */
  public record Empty() {}

  /** Parameters of {@code task/submit}. */
  public record SubmitParams(List<BlockItem> blocks) {}

  /** One block of a {@code task/submit}; see {@link org.obmesos.task.Block} for the ranges. */
  public record BlockItem(
      String id,
      String name,
      String document,
      List<String> interpreter,
      String body,
      Map<String, String> environment,
      String directory,
      Double cpus,
      Double mem,
      Double disk,
      Double gpus,
      Integer priority,
      Double killGrace,
      Double timeout,
      Integer tailLines,
      Integer attempts,
      List<String> after,
      Boolean bodyLater,
      String agent,
      String group,
      String title,
      List<String> ports,
      String role,
      List<ConstraintItem> constraints,
      ContainerItem container,
      List<UriItem> uris,
      String user,
      HealthItem health,
      Map<String, String> secrets,
      Double backoff,
      String ensure,
      String executor,
      SessionItem session,
      Double keep,
      Double maxMem,
      Integer limit,
      String reuse,
      List<String> fetch,
      List<String> fetchOptional,
      List<String> afterBlocks,
      List<String> ignored,
      Map<String, String> inputs) {}

  /**
   * A session.
   *
   * @param began when its first block was launched, in milliseconds since 1970
   * @param block the name of its last block, or the id of that
   * @param request the line that makes its interpreter run a block
   * @param peakKiB the peak memory of its process; null if it is not known
   * @param lost why it has ended without a block, which the next block is told; null if it has not
   */
  public record SessionState(
      String name,
      long began,
      String hostname,
      boolean busy,
      String id,
      String block,
      String request,
      Long peakKiB,
      String lost) {}

  /** Result of {@code session/list}. */
  public record SessionsResult(List<SessionState> sessions) {}

  /** Parameters of {@code session/kill}. */
  public record SessionParams(List<String> names) {}

  /** The session of a block; see {@link org.obmesos.task.Session}. */
  public record SessionItem(String name, String request, Boolean value, List<String> files) {}

  /** A placement constraint; see {@link org.obmesos.task.Constraint}. */
  public record ConstraintItem(String attribute, String operator, String value) {}

  /** The container of a block; see {@link org.obmesos.task.Container}. */
  public record ContainerItem(
      String image,
      String containerizer,
      Boolean pull,
      Boolean entrypoint,
      Boolean privileged,
      String network,
      List<ExposeItem> expose,
      List<VolumeItem> volumes) {}

  /** A port mapping of a container; a host port of 0 is taken from the offer. */
  public record ExposeItem(Integer host, Integer container) {}

  /** A mounted directory. */
  public record VolumeItem(String host, String container, Boolean readOnly) {}

  /** A file the agent fetches; see {@link org.obmesos.task.Uri}. */
  public record UriItem(
      String value, Boolean extract, Boolean executable, Boolean cache, String name) {}

  /** A health check; see {@link org.obmesos.task.Health}. */
  public record HealthItem(String kind, String target, String port) {}

  /** Parameters of requests about several tasks. */
  public record IdsParams(List<String> ids) {}

  /** Tasks, as a result or a notification. */
  public record Tasks(List<TaskItem> tasks) {}

  /**
   * Tasks with their results.
   *
   * @param omitted ids of further tasks, whose results would make the answer too large
   */
  public record FoundTasks(List<TaskItem> tasks, List<String> omitted) {}

  /** A task. */
  public record TaskItem(
      String id,
      String name,
      String document,
      String title,
      String state,
      boolean terminal,
      int attempt,
      String agent,
      String hostname,
      List<Integer> ports,
      double cpus,
      double mem,
      double disk,
      double gpus,
      int priority,
      long submitted,
      Long started,
      Long ended,
      Integer exitStatus,
      String signal,
      Double wallSeconds,
      Double cpuSeconds,
      Long peakKiB,
      String reason,
      String message,
      String source,
      List<String> after,
      Boolean bodyLater,
      Boolean secrets,
      String image,
      String key,
      String reused,
      Long reusedEnded,
      ResultItem result) {}

  /** The output of an ended task. */
  public record ResultItem(
      String stdout, long stdoutBytes, boolean truncated, String stderr, String location) {}

  /** Result of {@code task/submit} and {@code task/forget}: the ids of the tasks. */
  public record Ids(List<String> ids) {}

  /** Parameters of {@code task/read}. */
  public record ReadParams(String id, String path, Long offset, Integer length) {}

  /** Result of {@code task/read}; {@code data} is base64. */
  public record ReadResult(String data, long offset, long size) {}

  /** Parameters of {@code task/files}. */
  public record FilesParams(String id, String path) {}

  /** Result of {@code task/files}. */
  public record FilesResult(List<FileItem> files, String location) {}

  /** One file or directory of a sandbox; a link on the embedded cluster has its target. */
  public record FileItem(String path, long size, long modified, boolean directory, String link) {}

  /** Result of {@code agent/list}. */
  public record AgentsResult(List<AgentItem> agents) {}

  /** An agent and its last offer. */
  public record AgentItem(
      String id,
      String hostname,
      Map<String, String> attributes,
      double cpus,
      double mem,
      double disk,
      double gpus,
      AgentMetrics metrics) {}

  /** Result of {@code offer/list}. */
  public record OffersResult(List<OfferItem> offers) {}

  /** An offer, and what was done with it. */
  public record OfferItem(
      long time,
      String hostname,
      String role,
      double cpus,
      double mem,
      double disk,
      double gpus,
      int portCount,
      String outcome) {}

  /** Parameters of {@code task/page}. */
  public record IdParams(String id) {}

  /** Result of {@code task/page}. */
  public record PageResult(String url) {}

  /** Parameters of {@code task/output}. */
  public record OutputParams(List<OutputItem> outputs) {}

  /** The last lines of a running task. */
  public record OutputItem(String id, String tail, long size) {}

  /** Parameters of {@code cluster/status}. */
  public record ClusterParams(String master, boolean connected, String message) {}

  /** Parameters of {@code log/message}; the type is error, warning or info. */
  public record LogParams(String type, String message) {}

  /** The {@code data} of an error about a block. */
  public record BlockErrorData(String id, String argument) {}
}

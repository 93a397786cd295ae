// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.mesos.v1.Protos.ContainerID;
import org.apache.mesos.v1.Protos.ExecutorID;
import org.apache.mesos.v1.Protos.FileInfo;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.ResourceStatistics;
import org.apache.mesos.v1.agent.Protos.Response;
import org.obmesos.local.LocalSandboxes;

/** An agent's HTTP API, as far as sandboxes and figures are read from it. */
final class TestAgent {
  private static final int FIFO = 010644;

  /** An agent waits for a FIFO with these names, too; the server reads them without a check. */
  private static final Set<String> OUTPUT = Set.of("stdout", "stderr");

  private final Path directory;
  private final AtomicInteger away = new AtomicInteger();
  private volatile boolean filesReadOnly;

  /** The agent of the embedded cluster in a directory, at a server. */
  TestAgent(Path directory, HttpServer server) {
    this.directory = directory;
    server.createContext("/api/v1", this::api);
    server.createContext("/files/read", this::filesRead);
    server.createContext("/metrics/snapshot", TestAgent::recorded);
    server.createContext("/containers", TestAgent::recorded);
  }

  /** {@code /api/v1} is forbidden, {@code /files/read} is not. */
  void forbidApi() {
    filesReadOnly = true;
  }

  /** The next requests get no answer. */
  void away(int times) {
    away.set(times);
  }

  /** {@code /frameworks/F/executors/E/runs/latest/...} in the embedded cluster. */
  private Path file(String path) {
    String[] parts = path.split("/", 8);
    Path sandbox = new LocalSandboxes(directory).of(parts[2], parts[4]).root();
    return parts.length > 7 ? sandbox.resolve(parts[7]) : sandbox;
  }

  /** What a real agent has answered. */
  private static void recorded(HttpExchange exchange) throws IOException {
    String asked = exchange.getRequestURI().getPath();
    try (exchange;
        BufferedReader lines =
            new BufferedReader(
                new InputStreamReader(
                    TestAgent.class.getResourceAsStream(
                        "/org/obmesos/driver/recordings/agents.jsonl"),
                    StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        JsonObject said = JsonParser.parseString(line).getAsJsonObject();
        if (said.has("path") && said.get("path").getAsString().equals(asked)) {
          TestMaster.answer(exchange, 200, said.get("text").getAsString());
          return;
        }
      }
      TestMaster.answer(exchange, 404, "");
    }
  }

  private void api(HttpExchange exchange) throws IOException {
    try (exchange) {
      var call =
          org.apache.mesos.v1.agent.Protos.Call.parseFrom(exchange.getRequestBody().readAllBytes());
      if (away.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
        return;
      }
      if (filesReadOnly) {
        TestMaster.answer(exchange, 403, "Forbidden");
        return;
      }
      Response.Builder response = Response.newBuilder();
      if (call.getType() == org.apache.mesos.v1.agent.Protos.Call.Type.GET_CONTAINERS) {
        response.setType(Response.Type.GET_CONTAINERS).setGetContainers(containers());
      } else if (call.hasListFiles()) {
        String path = call.getListFiles().getPath();
        response.setType(Response.Type.LIST_FILES);
        try (var files = Files.list(file(path))) {
          for (Path file : files.sorted().toList()) {
            response
                .getListFilesBuilder()
                .addFileInfos(
                    FileInfo.newBuilder()
                        .setPath(path + "/" + file.getFileName())
                        .setSize(Files.size(file))
                        .setMode(mode(file)));
          }
        }
      } else {
        Path file = file(call.getReadFile().getPath());
        while (mode(file) == FIFO && !OUTPUT.contains(file.getFileName().toString())) {
          // The agent opens the FIFO in its thread for files, and waits for a writer.
          LockSupport.park();
        }
        if (!Files.isRegularFile(file)) {
          TestMaster.answer(exchange, 404, "");
          return;
        }
        byte[] all = Files.readAllBytes(file);
        int from = (int) Math.min(all.length, call.getReadFile().getOffset());
        int length =
            (int) Math.min(65536, Math.min(all.length - from, call.getReadFile().getLength()));
        response
            .setType(Response.Type.READ_FILE)
            .setReadFile(
                Response.ReadFile.newBuilder()
                    .setSize(all.length)
                    .setData(com.google.protobuf.ByteString.copyFrom(all, from, length)));
      }
      TestMaster.answer(exchange, 200, response.build().toByteArray());
    }
  }

  private static int mode(Path file) {
    if (Files.isDirectory(file)) {
      return 040755;
    }
    return Files.exists(file) && !Files.isRegularFile(file) ? FIFO : 0100644;
  }

  /** A container for each task, all with the statistics of the recording agents.jsonl. */
  private Response.GetContainers containers() throws IOException {
    Response.GetContainers.Builder containers = Response.GetContainers.newBuilder();
    try (var tasks = Files.list(directory.resolve("meta"))) {
      for (Path task : tasks.toList()) {
        String framework = Files.readString(task.resolve("framework"));
        containers
            .addContainersBuilder()
            .setFrameworkId(FrameworkID.newBuilder().setValue(framework))
            .setExecutorId(ExecutorID.newBuilder().setValue(task.getFileName().toString()))
            .setExecutorName("Command Executor")
            .setContainerId(ContainerID.newBuilder().setValue("c-" + task.getFileName()))
            .setResourceStatistics(
                ResourceStatistics.newBuilder()
                    .setTimestamp(1795208282.31281)
                    .setCpusUserTimeSecs(0.14)
                    .setCpusSystemTimeSecs(0.1)
                    .setMemRssBytes(453341184));
      }
    }
    return containers.build();
  }

  private void filesRead(HttpExchange exchange) throws IOException {
    try (exchange) {
      String query = exchange.getRequestURI().getQuery();
      Path file = file(query.replaceAll(".*path=([^&]*).*", "$1"));
      long offset = Long.parseLong(query.replaceAll(".*offset=(-?[0-9]+).*", "$1"));
      if (!Files.isRegularFile(file)) {
        TestMaster.answer(exchange, 404, "");
        return;
      }
      byte[] all = Files.readAllBytes(file);
      if (offset < 0) {
        TestMaster.answer(exchange, 200, "{\"data\":\"\",\"offset\":" + all.length + "}");
        return;
      }
      int from = (int) Math.min(all.length, offset);
      int length =
          Math.min(
              Integer.parseInt(query.replaceAll(".*length=([0-9]+).*", "$1")), all.length - from);
      String data =
          new String(all, from, Math.min(65536, length), StandardCharsets.ISO_8859_1)
              .replace("\\", "\\\\")
              .replace("\"", "\\\"")
              .replace("\n", "\\n")
              .replace("\0", "\\u0000");
      TestMaster.answer(
          exchange,
          200,
          ("{\"data\":\"" + data + "\",\"offset\":" + offset + "}")
              .getBytes(StandardCharsets.ISO_8859_1));
    }
  }
}

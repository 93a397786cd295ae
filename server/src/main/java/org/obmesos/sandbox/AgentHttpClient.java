// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.mesos.v1.agent.Protos.Call;
import org.obmesos.driver.MesosHttpClient;

/** The HTTP API of one agent. A request that is not answered whole within five seconds fails. */
final class AgentHttpClient {
  private static final long TIMEOUT_SECONDS = 5;
  private static final Duration LAUNCH_TIMEOUT = Duration.ofSeconds(30);
  private static final double MIB = 1024.0 * 1024.0;

  private final MesosHttpClient http;
  private final URI agent;

  AgentHttpClient(MesosHttpClient http, URI agent) {
    this.http = http;
    this.agent = agent;
  }

  URI address() {
    return agent;
  }

  /** Starts a request for a path, with its query. */
  HttpRequest.Builder request(String path) throws IOException {
    try {
      return http.request(MesosHttpClient.connectable(agent).resolve(path));
    } catch (IOException | IllegalArgumentException e) {
      throw unreachable(e);
    }
  }

  private SandboxUnavailableException unreachable(Exception e) {
    return new SandboxUnavailableException(
        "the agent at " + agent.getAuthority() + " cannot be read: " + MesosHttpClient.explain(e),
        e);
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @throws SandboxUnavailableException if there is none, or the agent is busy
   */
  HttpResponse<byte[]> send(HttpRequest.Builder request) throws IOException {
    // The client's own timeout does not cover the body of the answer.
    CompletableFuture<HttpResponse<byte[]>> answer =
        http.client().sendAsync(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    try {
      HttpResponse<byte[]> response = answer.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
      if (response.statusCode() == 429 || response.statusCode() >= 500) {
        throw new SandboxUnavailableException(refusal(response).getMessage(), null);
      }
      return response;
    } catch (InterruptedException e) {
      answer.cancel(true);
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while reading from the agent", e);
    } catch (TimeoutException e) {
      answer.cancel(true);
      throw new SandboxUnavailableException(
          "the agent at " + agent.getAuthority() + " does not answer in time", e);
    } catch (ExecutionException e) {
      throw unreachable(new IOException(MesosHttpClient.explain(e.getCause()), e.getCause()));
    }
  }

  /** Sends a call of the agent's API and waits for its answer, as {@link #send}. */
  HttpResponse<byte[]> call(Call call) throws IOException {
    return send(
        request("/api/v1")
            .header("Content-Type", MesosHttpClient.PROTOBUF)
            .POST(HttpRequest.BodyPublishers.ofByteArray(call.toByteArray())));
  }

  /** Sends a call of the agent's API whose answer may take any time. */
  HttpResponse<byte[]> await(Call call) throws IOException {
    try {
      return http.client()
          .send(
              request("/api/v1")
                  .header("Content-Type", MesosHttpClient.PROTOBUF)
                  .POST(HttpRequest.BodyPublishers.ofByteArray(call.toByteArray()))
                  .build(),
              HttpResponse.BodyHandlers.ofByteArray());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while waiting for the agent", e);
    } catch (IOException e) {
      throw unreachable(e);
    }
  }

  /** Sends a request; waits for the head of its answer, whose body may take any time. */
  HttpResponse<InputStream> stream(HttpRequest.Builder request) throws IOException {
    try {
      return http.client()
          .send(request.timeout(LAUNCH_TIMEOUT).build(), HttpResponse.BodyHandlers.ofInputStream());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while waiting for the agent", e);
    } catch (IOException e) {
      throw unreachable(e);
    }
  }

  /** Sends a request whose body may take any time. */
  CompletableFuture<HttpResponse<String>> sendAsync(HttpRequest.Builder request) {
    return http.client().sendAsync(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  /** Returns an exception with the status and text of an answer that is an error. */
  IOException refusal(HttpResponse<byte[]> response) {
    return new IOException(
        "the agent at "
            + agent.getAuthority()
            + " answers "
            + response.statusCode()
            + ": "
            + new String(response.body(), StandardCharsets.UTF_8).strip());
  }

  /** Reads the metrics of its machine, and the statistics of its containers. */
  AgentMetrics metrics() throws IOException {
    JsonObject metrics = get("/metrics/snapshot").getAsJsonObject();
    Double received = null;
    Double sent = null;
    for (JsonElement container : get("/containers").getAsJsonArray()) {
      JsonObject statistics = container.getAsJsonObject().getAsJsonObject("statistics");
      received = sum(received, number(statistics, "net_rx_bytes"));
      sent = sum(sent, number(statistics, "net_tx_bytes"));
    }
    return new AgentMetrics(
        number(metrics, "system/load_1min"),
        mebibytes(number(metrics, "system/mem_total_bytes")),
        mebibytes(number(metrics, "system/mem_free_bytes")),
        number(metrics, "slave/disk_total"),
        number(metrics, "slave/disk_used"),
        received,
        sent);
  }

  private static Double number(JsonObject object, String name) {
    return object == null || !object.has(name)
        ? null
        : Double.valueOf(object.get(name).getAsDouble());
  }

  private static Double mebibytes(Double bytes) {
    return bytes == null ? null : Double.valueOf(bytes / MIB);
  }

  private static Double sum(Double one, Double other) {
    return one == null ? other : other == null ? one : Double.valueOf(one + other);
  }

  private JsonElement get(String path) throws IOException {
    HttpResponse<byte[]> response = send(request(path).setHeader("Accept", "application/json"));
    if (response.statusCode() != 200) {
      throw refusal(response);
    }
    try {
      return JsonParser.parseString(new String(response.body(), StandardCharsets.UTF_8));
    } catch (JsonParseException e) {
      throw new IOException("the agent's answer cannot be read: " + e.getMessage(), e);
    }
  }
}

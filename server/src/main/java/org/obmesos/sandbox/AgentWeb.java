// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.obmesos.driver.Web;

/** The HTTP API of one agent. */
final class AgentWeb {
  private static final Duration TIMEOUT = Duration.ofSeconds(5);
  private static final double MIB = 1024.0 * 1024.0;

  private final Web web;
  private final URI agent;

  AgentWeb(Web web, URI agent) {
    this.web = web;
    this.agent = agent;
  }

  URI address() {
    return agent;
  }

  /** A request for a path, with what every request has. */
  HttpRequest.Builder request(String path) {
    return web.request(agent.resolve(path));
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @throws IOException if there is none, with a sentence for the user
   */
  HttpResponse<byte[]> send(HttpRequest.Builder request) throws IOException {
    try {
      return web.http()
          .send(request.timeout(TIMEOUT).build(), HttpResponse.BodyHandlers.ofByteArray());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while reading from the agent", e);
    } catch (IOException e) {
      throw new IOException(
          "the agent at " + agent.getAuthority() + " cannot be read: " + Web.explain(e), e);
    }
  }

  /** What to say of an answer that is none. */
  IOException refused(HttpResponse<byte[]> response) {
    return new IOException(
        "the agent at "
            + agent.getAuthority()
            + " answers "
            + response.statusCode()
            + ": "
            + new String(response.body(), StandardCharsets.UTF_8).strip());
  }

  /** How its machine is, from its metrics and the statistics of its containers. */
  AgentFigures figures() throws IOException {
    JsonObject metrics = get("/metrics/snapshot").getAsJsonObject();
    Double received = null;
    Double sent = null;
    for (JsonElement container : get("/containers").getAsJsonArray()) {
      JsonObject statistics = container.getAsJsonObject().getAsJsonObject("statistics");
      received = sum(received, number(statistics, "net_rx_bytes"));
      sent = sum(sent, number(statistics, "net_tx_bytes"));
    }
    return new AgentFigures(
        number(metrics, "system/load_1min"),
        mebibytes(number(metrics, "system/mem_total_bytes")),
        mebibytes(number(metrics, "system/mem_free_bytes")),
        number(metrics, "slave/disk_total"),
        number(metrics, "slave/disk_used"),
        received,
        sent);
  }

  private static Double number(JsonObject in, String name) {
    return in == null || !in.has(name) ? null : Double.valueOf(in.get(name).getAsDouble());
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
      throw refused(response);
    }
    try {
      return JsonParser.parseString(new String(response.body(), StandardCharsets.UTF_8));
    } catch (JsonParseException e) {
      throw new IOException("the agent's answer cannot be read: " + e.getMessage(), e);
    }
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;
import java.net.URI;
import java.util.Map;
import java.util.Objects;
import org.obmesos.driver.Web;
import org.obmesos.task.Site;
import org.obmesos.task.Task;

/** The sandboxes on a cluster's agents, read over the agents' HTTP API. */
public final class AgentSandboxes implements Sandboxes {
  private final Web web;
  private final Map<String, String> addresses;

  /**
   * Those of any agent.
   *
   * @param addresses where agents are to be reached instead of at the {@code host:port} they name:
   *     a {@code host:port} or a whole address, by that name
   */
  public AgentSandboxes(Web web, Map<String, String> addresses) {
    this.web = Objects.requireNonNull(web, "web");
    this.addresses = Map.copyOf(addresses);
  }

  @Override
  public Sandbox of(Task task) {
    Site site = task.placing().site();
    String directory =
        "/frameworks/" + site.frameworkId() + "/executors/" + task.mesosTaskId() + "/runs/latest";
    return new AgentSandbox(new AgentWeb(web, address(site.agentUrl())), directory);
  }

  /** Where to reach an agent that says it is at the given address. */
  URI address(String named) {
    if (named.isEmpty()) {
      return URI.create("http://unknown.invalid");
    }
    URI uri = URI.create(named);
    String other = addresses.get(uri.getAuthority());
    if (other == null) {
      return uri;
    }
    return URI.create(other.contains("://") ? other : uri.getScheme() + "://" + other);
  }

  @Override
  public AgentFigures figures(String agentUrl) throws IOException {
    return agentUrl.isEmpty() ? AgentFigures.NONE : new AgentWeb(web, address(agentUrl)).figures();
  }

  /** An agent collects its own garbage. */
  @Override
  public void delete(Task task) {}
}

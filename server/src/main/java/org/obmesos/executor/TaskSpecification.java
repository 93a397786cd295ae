// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.executor;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.obmesos.task.Session;

/**
 * The specification of a task, as JSON for the Perl program; tasks.pl has the fields.
 *
 * @param argv the words of the command; at least one
 * @param environment variables besides those the program has for all tasks
 * @param body the text of a file whose name is the last argument; empty for none
 * @param directory the working directory, relative to the sandbox; empty for the sandbox
 * @param grace the time between SIGTERM and SIGKILL
 * @param timeout the longest run time; zero for no limit
 * @param session the session it runs in; empty for a process of its own
 */
public record TaskSpecification(
    List<String> argv,
    Map<String, String> environment,
    Optional<String> body,
    String directory,
    Duration grace,
    Duration timeout,
    Optional<InSession> session) {
  /**
   * The session of a task.
   *
   * @param id identifies its interpreter
   * @param session what the block says of it
   * @param begins whether it begins with this task
   */
  public record InSession(String id, Session session, boolean begins) {
    JsonObject toJson() {
      JsonObject json = new JsonObject();
      json.addProperty("id", id);
      json.addProperty("name", session.name());
      json.addProperty("request", session.request());
      json.addProperty("value", session.value());
      json.addProperty("begins", begins);
      JsonArray files = new JsonArray();
      session.files().forEach(files::add);
      json.add("files", files);
      return json;
    }
  }

  private static final double MILLIS = 1000;

  /** Copies the collections. */
  public TaskSpecification {
    argv = List.copyOf(argv);
    environment = Map.copyOf(environment);
  }

  /** Returns the data of a TaskInfo for the Perl program. */
  public ByteString toData() {
    return ByteString.copyFromUtf8(toJson().toString());
  }

  /** Returns it as JSON. */
  public JsonObject toJson() {
    JsonObject json = new JsonObject();
    JsonArray words = new JsonArray();
    argv.forEach(words::add);
    json.add("argv", words);
    JsonObject variables = new JsonObject();
    environment.forEach(variables::addProperty);
    json.add("environment", variables);
    body.ifPresent(text -> json.addProperty("body", text));
    if (!directory.isEmpty()) {
      json.addProperty("directory", directory);
    }
    session.ifPresent(it -> json.add("session", it.toJson()));
    json.addProperty("grace", grace.toMillis() / MILLIS);
    json.addProperty("timeout", timeout.toMillis() / MILLIS);
    return json;
  }
}

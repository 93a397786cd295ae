// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.mesos.v1.Protos.Environment;
import org.apache.mesos.v1.Protos.TaskInfo;

/**
 * The environment of a task's processes. It is built from the task and a few variables of this
 * server; nothing else is inherited, in particular no credentials.
 */
final class TaskEnvironment {
  /** The variables of the server that a task gets, and each whose name begins with LC_. */
  private static final Set<String> INHERITED =
      Set.of("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR");

  /** The variables that podman and docker need besides to reach their storage and their daemon. */
  private static final Set<String> CONTAINER_RUNTIME =
      Set.of(
          "XDG_RUNTIME_DIR",
          "XDG_CONFIG_HOME",
          "XDG_DATA_HOME",
          "DBUS_SESSION_BUS_ADDRESS",
          "CONTAINER_HOST",
          "DOCKER_HOST",
          "DOCKER_CONFIG",
          "HTTP_PROXY",
          "HTTPS_PROXY",
          "NO_PROXY",
          "http_proxy",
          "https_proxy",
          "no_proxy");

  private static final String DEFAULT_PATH =
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private TaskEnvironment() {}

  /** Returns the variables of a process, NAME=VALUE each; none if they cannot be read. */
  static List<String> of(ProcessHandle process) {
    try {
      return List.of(
          Files.readString(Path.of("/proc/" + process.pid() + "/environ"), StandardCharsets.UTF_8)
              .split("\0"));
    } catch (IOException e) {
      // It has ended, or belongs to somebody else.
      return List.of();
    }
  }

  /**
   * Returns the variables that all tasks have.
   *
   * @param server the environment of this server
   * @param passed the names of further variables of the server that the user wants tasks to have
   */
  static Map<String, String> ofAll(Map<String, String> server, Set<String> passed) {
    Map<String, String> variables = new LinkedHashMap<>();
    variables.put("PATH", DEFAULT_PATH);
    server.forEach(
        (name, value) -> {
          if (INHERITED.contains(name) || name.startsWith("LC_") || passed.contains(name)) {
            variables.put(name, value);
          }
        });
    return variables;
  }

  /** Returns the variables of a task besides those. */
  static Map<String, String> of(TaskInfo task, Path sandbox, Map<String, String> server) {
    Map<String, String> variables = new LinkedHashMap<>();
    if (task.hasContainer()) {
      server.forEach(
          (name, value) -> {
            if (CONTAINER_RUNTIME.contains(name)) {
              variables.put(name, value);
            }
          });
    }
    variables.put(
        "MESOS_SANDBOX", task.hasContainer() ? ContainerRuntime.SANDBOX : sandbox.toString());
    variables.put("MESOS_DIRECTORY", sandbox.toString());
    variables.put("MESOS_TASK_ID", task.getTaskId().getValue());
    for (Environment.Variable variable : task.getCommand().getEnvironment().getVariablesList()) {
      variables.put(
          variable.getName(),
          variable.hasSecret()
              ? variable.getSecret().getValue().getData().toStringUtf8()
              : variable.getValue());
    }
    return variables;
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.apache.mesos.v1.Protos.DurationInfo;
import org.apache.mesos.v1.Protos.Environment;
import org.apache.mesos.v1.Protos.HealthCheck;
import org.apache.mesos.v1.Protos.KillPolicy;
import org.apache.mesos.v1.Protos.Label;
import org.apache.mesos.v1.Protos.Labels;
import org.apache.mesos.v1.Protos.Resource;
import org.apache.mesos.v1.Protos.Secret;
import org.apache.mesos.v1.Protos.TaskID;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.obmesos.task.Block;
import org.obmesos.task.Health;
import org.obmesos.task.Image;
import org.obmesos.task.Limits;
import org.obmesos.task.Origin;
import org.obmesos.task.Program;
import org.obmesos.task.Surroundings;
import org.obmesos.task.Task;
import org.obmesos.task.Uri;

/**
 * From a block to what Mesos launches. The body travels as arguments, each below the kernel's limit
 * of 128 KiB for one (MAX_ARG_STRLEN, execve(2)), is written into the sandbox and run from there.
 */
final class TaskInfos {
  /** At most three bytes of UTF-8 each, so at most 96 KiB. */
  private static final int CHUNK_CHARS = 32 * 1024;

  private static final double HEALTH_INTERVAL_SECONDS = 2;

  private static final String BODY_FILE = ".block";

  private TaskInfos() {}

  /**
   * What to launch.
   *
   * @param resources what the task gets of its offers
   * @param secrets the values of its secret variables
   */
  static TaskInfo of(Task task, List<Resource> resources, Map<String, String> secrets) {
    Block block = task.block();
    Surroundings around = block.program().around();
    String name = block.origin().name();
    TaskInfo.Builder info =
        TaskInfo.newBuilder()
            .setName(name.isEmpty() ? block.id().value() : name)
            .setTaskId(TaskID.newBuilder().setValue(task.mesosTaskId()))
            .setAgentId(AgentID.newBuilder().setValue(task.placing().site().agentId()))
            .addAllResources(resources)
            .setCommand(command(task, secrets))
            .setLabels(labels(block.origin()));
    around
        .container()
        .ifPresent(
            it ->
                info.setContainer(
                    ContainerInfos.of(it, exposedPorts(task), !block.program().body().isEmpty())));
    around.health().ifPresent(health -> info.setHealthCheck(check(health, task)));
    Limits limits = block.limits();
    info.setKillPolicy(KillPolicy.newBuilder().setGracePeriod(duration(limits.killGrace())));
    if (!limits.timeout().isZero()) {
      info.setMaxCompletionTime(duration(limits.timeout()));
    }
    return info.build();
  }

  /** The ports that were given to what its container exposes without saying where. */
  private static List<Integer> exposedPorts(Task task) {
    List<Integer> ports = task.placing().site().ports();
    return ports.subList(Math.min(task.block().needs().ports().size(), ports.size()), ports.size());
  }

  private static HealthCheck check(Health health, Task task) {
    HealthCheck.Builder check = HealthCheck.newBuilder();
    switch (health.kind()) {
      case CMD ->
          check
              .setType(HealthCheck.Type.COMMAND)
              .setCommand(CommandInfo.newBuilder().setShell(true).setValue(health.target()));
      case HTTP ->
          check
              .setType(HealthCheck.Type.HTTP)
              .setHttp(
                  HealthCheck.HTTPCheckInfo.newBuilder()
                      .setPort(port(health, task))
                      .setPath(health.target()));
      case TCP ->
          check
              .setType(HealthCheck.Type.TCP)
              .setTcp(HealthCheck.TCPCheckInfo.newBuilder().setPort(port(health, task)));
    }
    return check.setDelaySeconds(0).setIntervalSeconds(HEALTH_INTERVAL_SECONDS).build();
  }

  private static int port(Health health, Task task) {
    int place = task.block().needs().ports().indexOf(health.port());
    return place >= 0 ? task.placing().site().ports().get(place) : Integer.parseInt(health.port());
  }

  /** What an operator sees of where a task comes from. */
  private static Labels labels(Origin origin) {
    Labels.Builder labels = Labels.newBuilder();
    label(labels, "block", origin.name());
    label(labels, "document", origin.document());
    label(labels, "user", System.getProperty("user.name"));
    return labels.build();
  }

  private static void label(Labels.Builder labels, String key, String value) {
    if (!value.isEmpty()) {
      labels.addLabels(Label.newBuilder().setKey(key).setValue(value));
    }
  }

  private static DurationInfo duration(Duration duration) {
    return DurationInfo.newBuilder().setNanoseconds(duration.toNanos()).build();
  }

  private static CommandInfo command(Task task, Map<String, String> secrets) {
    Program program = task.block().program();
    CommandInfo.Builder command = CommandInfo.newBuilder().setShell(false);
    boolean docker =
        program
            .around()
            .container()
            .filter(it -> it.image().containerizer() == Image.Containerizer.DOCKER)
            .isPresent();
    if (!program.body().isEmpty()) {
      // Docker is told to begin with a shell by a parameter, and has no place for argv[0].
      if (!docker) {
        command.setValue("/bin/sh").addArguments("sh");
      }
      command
          .addArguments("-c")
          .addArguments(script(program))
          .addArguments("sh")
          .addAllArguments(chunks(program.body() + "\n"));
    }
    for (Uri uri : program.around().uris()) {
      CommandInfo.URI.Builder wanted =
          CommandInfo.URI
              .newBuilder()
              .setValue(uri.value())
              .setExtract(uri.extract())
              .setExecutable(uri.executable())
              .setCache(uri.cache());
      if (!uri.name().isEmpty()) {
        wanted.setOutputFile(uri.name());
      }
      command.addUris(wanted);
    }
    if (!program.around().user().isEmpty()) {
      command.setUser(program.around().user());
    }
    return command.setEnvironment(environment(task, secrets)).build();
  }

  private static Environment environment(Task task, Map<String, String> secrets) {
    Map<String, String> variables = new LinkedHashMap<>(ports(task));
    variables.putAll(task.block().program().environment());
    Environment.Builder environment = Environment.newBuilder();
    variables.forEach(
        (name, value) ->
            environment.addVariables(
                Environment.Variable.newBuilder().setName(name).setValue(value)));
    secrets.forEach(
        (name, value) ->
            environment.addVariables(
                Environment.Variable.newBuilder()
                    .setName(name)
                    .setType(Environment.Variable.Type.SECRET)
                    .setSecret(
                        Secret.newBuilder()
                            .setType(Secret.Type.VALUE)
                            .setValue(
                                Secret.Value.newBuilder()
                                    .setData(ByteString.copyFromUtf8(value))))));
    return environment.build();
  }

  /** PORT0 and so on, and for each name one like PORT_WEB; for what is exposed its own number. */
  private static Map<String, String> ports(Task task) {
    List<String> names = new ArrayList<>(task.block().needs().ports());
    task.block()
        .program()
        .around()
        .container()
        .ifPresent(
            container ->
                container.network().exposed().stream()
                    .filter(port -> port.host() == 0)
                    .forEach(port -> names.add(Integer.toString(port.container()))));
    Map<String, String> variables = new LinkedHashMap<>();
    List<Integer> ports = task.placing().site().ports();
    for (int i = 0; i < Math.min(names.size(), ports.size()); i++) {
      String port = ports.get(i).toString();
      variables.put("PORT" + i, port);
      if (!names.get(i).equals(Integer.toString(i))) {
        variables.put(
            "PORT_" + names.get(i).toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_"), port);
      }
    }
    return variables;
  }

  /** Writes the body down, goes where it shall run, and becomes the interpreter. */
  private static String script(Program program) {
    String interpreter =
        program.interpreter().stream().map(TaskInfos::quote).collect(Collectors.joining(" "));
    String directory = program.directory();
    String enter =
        directory.isEmpty()
            ? ""
            : directory.startsWith("/")
                ? "cd " + quote(directory) + " && "
                : "mkdir -p "
                    + quote("./" + directory)
                    + " && cd "
                    + quote("./" + directory)
                    + " && ";
    // In a container the sandbox is not where a command starts.
    return "cd \"${MESOS_SANDBOX:-.}\" && block=$PWD/"
        + BODY_FILE
        + " && printf %s \"$@\" > \"$block\" && "
        + enter
        + "exec "
        + interpreter
        + " \"$block\"";
  }

  private static String quote(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }

  static List<String> chunks(String text) {
    List<String> chunks = new ArrayList<>();
    int from = 0;
    while (from < text.length()) {
      int to = Math.min(text.length(), from + CHUNK_CHARS);
      if (to < text.length() && Character.isHighSurrogate(text.charAt(to - 1))) {
        to--;
      }
      chunks.add(text.substring(from, to));
      from = to;
    }
    return chunks;
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.apache.mesos.v1.Protos.DurationInfo;
import org.apache.mesos.v1.Protos.Environment;
import org.apache.mesos.v1.Protos.ExecutorInfo;
import org.apache.mesos.v1.Protos.HealthCheck;
import org.apache.mesos.v1.Protos.KillPolicy;
import org.apache.mesos.v1.Protos.Label;
import org.apache.mesos.v1.Protos.Labels;
import org.apache.mesos.v1.Protos.Resource;
import org.apache.mesos.v1.Protos.Secret;
import org.apache.mesos.v1.Protos.TaskID;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.obmesos.executor.TaskSpecification;
import org.obmesos.task.Block;
import org.obmesos.task.ExecutionEnvironment;
import org.obmesos.task.Health;
import org.obmesos.task.Image;
import org.obmesos.task.Origin;
import org.obmesos.task.Program;
import org.obmesos.task.Retry;
import org.obmesos.task.RunPolicy;
import org.obmesos.task.Session;
import org.obmesos.task.Task;
import org.obmesos.task.TaskState;
import org.obmesos.task.Uri;

/**
 * Converts a block to the TaskInfo that Mesos launches. The program of a task for a shared
 * executor, a session or the embedded cluster without a container is in its data ({@link
 * TaskSpecification}). Otherwise the body is passed in environment variables, which other users of
 * the agent cannot read, each below the kernel's limit of 128 KiB (MAX_ARG_STRLEN, execve(2)); a
 * shell writes it into the sandbox and runs it from there.
 */
final class TaskInfos {
  /** In UTF-8 at most three bytes each, so at most 96 KiB. */
  private static final int CHUNK_CHARS = 32 * 1024;

  private static final double HEALTH_INTERVAL_SECONDS = 2;

  private static final String BODY_FILE = ".block";
  private static final String BODY_VARIABLE = "OB_MESOS_BODY_";

  /**
   * The largest body in bytes that is in variables on a cluster; a larger one is in the command.
   * Mesos passes command and environment as JSON in one argument of mesos-containerizer, the
   * environment twice, and Linux limits an argument to 128 KiB (execve(2)).
   */
  private static final int MAX_VARIABLES = 40 * 1024;

  /**
   * Runs its arguments but the first and, if they fail, stays for as many seconds as that says, or
   * until the file .ob-mesos-release exists. What it writes into .ob-mesos-kept tells until when
   * ({@link org.obmesos.sandbox.Tailer}).
   */
  private static final String KEEP =
      "keep=$1; shift; \"$@\"; status=$?; [ $status -eq 0 ] && exit 0; cd \"${MESOS_SANDBOX:-.}\";"
          + " echo $status $(($(date +%s) + keep)) > .ob-mesos-kept;"
          + " trap 'exit $status' TERM INT; n=0;"
          + " while [ $n -lt $keep ] && [ ! -e .ob-mesos-release ]; do"
          + " sleep 1 & wait $!; n=$((n + 1)); done; exit $status";

  private TaskInfos() {}

  /** Returns the words of the command that gets the file with the body. */
  private static List<String> interpreter(Task task) {
    Block block = task.block();
    Retry retry = block.runPolicy().retry();
    Duration keep = retry.keep();
    // A run that is followed by another one is not kept.
    if (keep.isZero() || retry.isDue(task.launch().runs() + 1, TaskState.FAILED)) {
      return block.program().interpreter();
    }
    List<String> words =
        new ArrayList<>(List.of("/bin/sh", "-c", KEEP, "sh", Long.toString(keep.toSeconds())));
    words.addAll(block.program().interpreter());
    return words;
  }

  private static boolean isSmall(Program program) {
    return body(program).getBytes(StandardCharsets.UTF_8).length <= MAX_VARIABLES;
  }

  /**
   * Converts a task.
   *
   * @param resources the resources it takes of its offers
   * @param secrets the values of its secret variables
   * @param embedded whether it is for the embedded cluster, where no body is in an argument, and a
   *     task without a container has its program in the task's data, as one of a shared executor
   */
  static TaskInfo of(
      Task task, List<Resource> resources, Map<String, String> secrets, boolean embedded) {
    Block block = task.block();
    ExecutionEnvironment around = block.program().executionEnvironment();
    TaskInfo.Builder info = start(task, resources);
    if (embedded && around.container().isEmpty()) {
      info.setCommand(
          fetching(block.program()).setEnvironment(environment(task, secrets, List.of())));
      info.setData(specification(task, Map.of(), Optional.empty()).toData());
    } else {
      info.setCommand(command(task, secrets, embedded));
    }
    around
        .container()
        .ifPresent(
            it ->
                info.setContainer(
                    ContainerInfos.of(it, exposedPorts(task), !block.program().body().isEmpty())));
    around.health().ifPresent(health -> info.setHealthCheck(check(health, task)));
    RunPolicy limits = block.runPolicy();
    info.setKillPolicy(KillPolicy.newBuilder().setGracePeriod(duration(limits.killGrace())));
    if (!limits.timeout().isZero()) {
      info.setMaxCompletionTime(duration(limits.timeout()));
    }
    return info.build();
  }

  private static TaskInfo.Builder start(Task task, List<Resource> resources) {
    Block block = task.block();
    String name = block.origin().name();
    return TaskInfo.newBuilder()
        .setName(name.isEmpty() ? block.id().value() : name)
        .setTaskId(TaskID.newBuilder().setValue(task.mesosTaskId()))
        .setAgentId(AgentID.newBuilder().setValue(task.launch().location().agentId()))
        .addAllResources(resources)
        .setLabels(labels(block.origin()));
  }

  /** Converts a task for a shared executor, which gets the program in the task's data. */
  static TaskInfo shared(Task task, List<Resource> resources, ExecutorInfo executor) {
    return withData(task, resources, executor, Optional.empty());
  }

  /**
   * Converts a task for the executor of its session.
   *
   * @param begins whether the session begins with it
   */
  static TaskInfo inSession(
      Task task, List<Resource> resources, ExecutorInfo executor, boolean begins) {
    Session session = task.block().session().orElseThrow();
    return withData(
        task,
        resources,
        executor,
        Optional.of(
            new TaskSpecification.InSession(executor.getExecutorId().getValue(), session, begins)));
  }

  private static TaskInfo withData(
      Task task,
      List<Resource> resources,
      ExecutorInfo executor,
      Optional<TaskSpecification.InSession> session) {
    Map<String, String> variables = new LinkedHashMap<>(ports(task));
    variables.putAll(task.block().program().environment());
    return start(task, resources)
        .setExecutor(executor)
        .setData(specification(task, variables, session).toData())
        .build();
  }

  private static TaskSpecification specification(
      Task task, Map<String, String> variables, Optional<TaskSpecification.InSession> session) {
    Block block = task.block();
    return new TaskSpecification(
        interpreter(task),
        variables,
        Optional.of(body(block.program())),
        block.program().directory(),
        block.runPolicy().killGrace(),
        block.runPolicy().timeout(),
        session);
  }

  /** Returns the host ports of its container's mappings that came from the offer. */
  private static List<Integer> exposedPorts(Task task) {
    List<Integer> ports = task.launch().location().ports();
    return ports.subList(
        Math.min(task.block().requirements().ports().size(), ports.size()), ports.size());
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
    int place = task.block().requirements().ports().indexOf(health.port());
    return place >= 0
        ? task.launch().location().ports().get(place)
        : Integer.parseInt(health.port());
  }

  /** Returns labels that tell operators where a task comes from. */
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

  private static CommandInfo command(Task task, Map<String, String> secrets, boolean embedded) {
    Program program = task.block().program();
    List<String> variables = embedded || isSmall(program) ? chunks(body(program)) : List.of();
    CommandInfo.Builder command = fetching(program);
    boolean docker =
        program
            .executionEnvironment()
            .container()
            .filter(it -> it.image().containerizer() == Image.Containerizer.DOCKER)
            .isPresent();
    if (!program.body().isEmpty()) {
      // Docker gets the shell as entrypoint by a parameter, and its arguments do not include
      // argv[0].
      if (!docker) {
        command.setValue("/bin/sh").addArguments("sh");
      }
      command.addArguments("-c").addArguments(script(task, variables.size()));
    }
    return command.setEnvironment(environment(task, secrets, variables)).build();
  }

  /** Returns a command without words: the files it fetches, and its user. */
  private static CommandInfo.Builder fetching(Program program) {
    CommandInfo.Builder command = CommandInfo.newBuilder().setShell(false);
    for (Uri uri : program.executionEnvironment().uris()) {
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
    if (!program.executionEnvironment().user().isEmpty()) {
      command.setUser(program.executionEnvironment().user());
    }
    return command;
  }

  private static Environment environment(
      Task task, Map<String, String> secrets, List<String> body) {
    Map<String, String> variables = new LinkedHashMap<>(ports(task));
    variables.putAll(task.block().program().environment());
    for (int n = 0; n < body.size(); n++) {
      variables.put(BODY_VARIABLE + n, body.get(n));
    }
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

  /**
   * Returns PORT0 and so on, and for each name one like PORT_WEB; a mapped container port is a
   * name.
   */
  private static Map<String, String> ports(Task task) {
    List<String> names = new ArrayList<>(task.block().requirements().ports());
    task.block()
        .program()
        .executionEnvironment()
        .container()
        .ifPresent(
            container ->
                container.network().exposed().stream()
                    .filter(port -> port.host() == 0)
                    .forEach(port -> names.add(Integer.toString(port.container()))));
    Map<String, String> variables = new LinkedHashMap<>();
    List<Integer> ports = task.launch().location().ports();
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

  /**
   * Returns a script that writes the body to a file, changes to the working directory and executes
   * the interpreter.
   */
  private static String script(Task task, int count) {
    Program program = task.block().program();
    List<String> variables = IntStream.range(0, count).mapToObj(n -> BODY_VARIABLE + n).toList();
    String names = String.join(" ", variables);
    String values =
        count == 0
            ? quote(body(program))
            : variables.stream().map(name -> "\"$" + name + "\"").collect(Collectors.joining(" "));
    String interpreter =
        interpreter(task).stream().map(TaskInfos::quote).collect(Collectors.joining(" "));
    // In a container the working directory is not the sandbox.
    return "cd \"${MESOS_SANDBOX:-.}\" && block=$PWD/"
        + BODY_FILE
        + " && printf %s "
        + values
        + " > \"$block\" && "
        + (count == 0 ? "" : "unset " + names + " && ")
        + enter(program.directory())
        + "exec "
        + interpreter
        + " \"$block\"";
  }

  /** Returns the commands that change to a working directory, as tasks.pl does. */
  private static String enter(String directory) {
    if (directory.isEmpty()) {
      return "";
    }
    if (directory.startsWith("/")) {
      return "cd " + quote(directory) + " && ";
    }
    if (directory.equals("~") || directory.startsWith("~/")) {
      return "cd \"${HOME:?}\"" + quote(directory.substring(1)) + " && ";
    }
    String path = quote("./" + directory);
    return "mkdir -p " + path + " && cd " + path + " && ";
  }

  private static String quote(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }

  /** Returns the text of the file with the body; empty if the image's own command runs. */
  private static String body(Program program) {
    return program.body().isEmpty() ? "" : program.body() + "\n";
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

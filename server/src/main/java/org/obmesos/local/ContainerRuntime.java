// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.local;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.apache.mesos.v1.Protos.ContainerInfo;
import org.apache.mesos.v1.Protos.Environment;
import org.apache.mesos.v1.Protos.NetworkInfo;
import org.apache.mesos.v1.Protos.Parameter;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.apache.mesos.v1.Protos.Volume;
import org.obmesos.util.PrivateFiles;

/** The program that runs containers on this machine: podman or docker. */
final class ContainerRuntime {
  /** The path of the sandbox in a container (Mesos' agent flag --sandbox_directory). */
  static final String SANDBOX = "/mnt/mesos/sandbox";

  /**
   * The first process of a container gets only signals it has a handler for (pid_namespaces(7)), so
   * it is a shell that passes SIGTERM on to its process group. Not to all processes: a container
   * can share the machine's process namespace.
   */
  private static final String FIRST_PROCESS =
      "trap 'trap \"\" TERM; kill -TERM 0' TERM; \"$@\" & while :; do wait $!; s=$?;"
          + " kill -0 $! 2>/dev/null || exit $s; done";

  private final String program;

  private ContainerRuntime(String program) {
    this.program = program;
  }

  /** Finds podman, or else docker, on the path. */
  static Optional<ContainerRuntime> find() {
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    return Stream.of("podman", "docker")
        .filter(
            name ->
                Stream.of(path.split(File.pathSeparator, -1))
                    .anyMatch(directory -> Files.isExecutable(Path.of(directory, name))))
        .findFirst()
        .map(ContainerRuntime::new);
  }

  private static String name(String taskId) {
    return "ob-mesos-" + taskId;
  }

  /** Returns the command that runs a task in a container. */
  List<String> command(TaskInfo task, Path sandbox) throws IOException {
    ContainerInfo container = task.getContainer();
    List<String> words = new ArrayList<>(List.of(program, "run", "--rm"));
    words.addAll(List.of("--name", name(task.getTaskId().getValue())));
    words.addAll(List.of("--volume", sandbox + ":" + SANDBOX));
    for (Volume volume : container.getVolumesList()) {
      Path host = sandbox.resolve(volume.getHostPath());
      if (host.startsWith(sandbox)) {
        PrivateFiles.createDirectories(host);
      }
      words.add("--volume");
      words.add(
          host
              + ":"
              + volume.getContainerPath()
              + (volume.getMode() == Volume.Mode.RO ? ":ro" : ""));
    }
    words.addAll(List.of("--env", "MESOS_SANDBOX", "--env", "MESOS_TASK_ID"));
    for (Environment.Variable variable : task.getCommand().getEnvironment().getVariablesList()) {
      // Without a value: it is taken from the environment of the runtime, which is private.
      words.addAll(List.of("--env", variable.getName()));
    }
    if (container.getType() == ContainerInfo.Type.DOCKER) {
      docker(words, container, task.getCommand());
    } else {
      mesos(words, container, task.getCommand());
    }
    return words;
  }

  private static void docker(List<String> words, ContainerInfo container, CommandInfo command) {
    ContainerInfo.DockerInfo docker = container.getDocker();
    words.add("--network");
    words.add(
        switch (docker.getNetwork()) {
          case HOST -> "host";
          case USER -> container.getNetworkInfos(0).getName();
          default -> "bridge";
        });
    for (ContainerInfo.DockerInfo.PortMapping port : docker.getPortMappingsList()) {
      words.add("--publish");
      words.add(port.getHostPort() + ":" + port.getContainerPort());
    }
    if (docker.getPrivileged()) {
      words.add("--privileged");
    }
    words.add("--pull=" + (docker.getForcePullImage() ? "always" : "missing"));
    boolean shell =
        docker.getParametersList().stream().map(Parameter::getKey).anyMatch("entrypoint"::equals);
    image(words, docker.getImage(), shell, command.getArgumentsList());
  }

  private static void mesos(List<String> words, ContainerInfo container, CommandInfo command) {
    if (container.getNetworkInfosCount() == 0) {
      words.addAll(List.of("--network", "host"));
    }
    for (NetworkInfo network : container.getNetworkInfosList()) {
      words.addAll(List.of("--network", network.getName()));
      for (NetworkInfo.PortMapping port : network.getPortMappingsList()) {
        words.add("--publish");
        words.add(port.getHostPort() + ":" + port.getContainerPort());
      }
    }
    words.add("--pull=" + (container.getMesos().getImage().getCached() ? "missing" : "always"));
    List<String> arguments = command.getArgumentsList();
    image(
        words,
        container.getMesos().getImage().getDocker().getName(),
        command.hasValue(),
        command.hasValue() ? arguments.subList(1, arguments.size()) : arguments);
  }

  /**
   * Returns what the runtime has said if it could not start the container of a task: it exits with
   * 125 then (podman-run(1)), as the program in the container also can.
   *
   * @param status the exit status of the runtime
   * @param stderr the end of the task's stderr
   */
  static Optional<String> launchFailure(OptionalInt status, String stderr) {
    if (!status.equals(OptionalInt.of(125))) {
      return Optional.empty();
    }
    return stderr
        .lines()
        .filter(line -> line.startsWith("Error: ") || line.startsWith("docker: "))
        .reduce((first, last) -> last);
  }

  private static void image(
      List<String> words, String image, boolean shell, List<String> arguments) {
    if (shell) {
      words.addAll(List.of("--entrypoint", "/bin/sh", image, "-c", FIRST_PROCESS, "sh", "/bin/sh"));
    } else {
      words.add(image);
    }
    words.addAll(arguments);
  }

  /** Writes the script that removes the container of a task that was killed. */
  void writeCleanup(String taskId, Path script) throws IOException {
    Files.writeString(script, "exec " + program + " rm -f " + name(taskId) + "\n");
  }

  /**
   * Returns the command that runs another one in the container of a task, with this process'
   * standard streams.
   *
   * @param terminal whether these are a terminal
   */
  List<String> exec(String taskId, List<String> command, boolean terminal) {
    List<String> words = new ArrayList<>(List.of(program, "exec", "--interactive"));
    if (terminal) {
      words.add("--tty");
    }
    words.addAll(List.of("--workdir", SANDBOX, name(taskId)));
    words.addAll(command);
    return words;
  }

  /** Returns the command that runs a shell command in the container of a task. */
  List<String> exec(String taskId, String command) {
    return List.of(program, "exec", name(taskId), "/bin/sh", "-c", command);
  }
}

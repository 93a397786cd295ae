// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.apache.mesos.v1.Protos.ContainerInfo;
import org.apache.mesos.v1.Protos.Environment;
import org.apache.mesos.v1.Protos.HealthCheck;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.apache.mesos.v1.Protos.Volume;
import org.junit.jupiter.api.Test;
import org.obmesos.cluster.TestBlocks;
import org.obmesos.task.Block;
import org.obmesos.task.Container;
import org.obmesos.task.ExecutionEnvironment;
import org.obmesos.task.Health;
import org.obmesos.task.Image;
import org.obmesos.task.LaunchState;
import org.obmesos.task.Network;
import org.obmesos.task.Program;
import org.obmesos.task.Requirements;
import org.obmesos.task.Resources;
import org.obmesos.task.Task;
import org.obmesos.task.TaskLocation;
import org.obmesos.task.Uri;

/** What a real agent would be given for containers, which not every machine can run. */
final class TaskInfosTest {
  private static TaskInfo info(Block block, Integer... ports) {
    return info(false, block, ports);
  }

  private static TaskInfo info(boolean embedded, Block block, Integer... ports) {
    Task task =
        Task.submitted(1, block, Instant.now())
            .with(LaunchState.NONE.at(new TaskLocation("F", "S", "host", "", List.of(ports), "")));
    return TaskInfos.of(task, List.of(), Map.of("TOKEN", "hush"), embedded);
  }

  private static ExecutionEnvironment in(Container container, Health health) {
    return new ExecutionEnvironment(
        Optional.of(container),
        List.of(new Uri("http://host/x.tgz", true, false, true, "y.tgz")),
        "nobody",
        Optional.of(health),
        Set.of("TOKEN"));
  }

  private static Container container(
      Image.Containerizer engine, boolean entrypoint, String network) {
    return new Container(
        new Image("redis:7", engine, true, entrypoint),
        new Network(network, List.of(new Network.Exposed(0, 6379), new Network.Exposed(80, 8080))),
        List.of(new Container.Volume("/data", "/var/data", true)),
        engine == Image.Containerizer.DOCKER);
  }

  private static Block block(Container container, String body) {
    Block plain = TestBlocks.of("b", "echo");
    Block needing =
        TestBlocks.needing(
            plain,
            new Requirements(new Resources(0.1, 32, 0), List.of(), List.of("web"), "", List.of()));
    return needing.with(
        new Program(
            List.of("sh"),
            body,
            Map.of("A", "1"),
            "",
            in(container, new Health(Health.Kind.HTTP, "/ok", "web"))));
  }

  private static Map<String, String> variables(TaskInfo info) {
    return info.getCommand().getEnvironment().getVariablesList().stream()
        .filter(variable -> !variable.hasSecret())
        .collect(Collectors.toMap(Environment.Variable::getName, Environment.Variable::getValue));
  }

  @Test
  void dockerBeginsWithAShellAndMapsPorts() {
    TaskInfo info =
        info(block(container(Image.Containerizer.DOCKER, false, "bridge"), "echo"), 31001, 31002);
    ContainerInfo container = info.getContainer();
    assertThat(container.getType()).isEqualTo(ContainerInfo.Type.DOCKER);
    ContainerInfo.DockerInfo docker = container.getDocker();
    assertThat(docker.getImage()).isEqualTo("redis:7");
    assertThat(docker.getForcePullImage()).isTrue();
    assertThat(docker.getPrivileged()).isTrue();
    assertThat(docker.getNetwork()).isEqualTo(ContainerInfo.DockerInfo.Network.BRIDGE);
    assertThat(docker.getPortMappingsList())
        .extracting(port -> port.getHostPort() + ":" + port.getContainerPort())
        .containsExactly("31002:6379", "80:8080");
    assertThat(docker.getParametersList())
        .extracting(parameter -> parameter.getKey() + "=" + parameter.getValue())
        .containsExactly("entrypoint=/bin/sh");
    CommandInfo command = info.getCommand();
    assertThat(command.getShell()).isFalse();
    assertThat(command.hasValue()).isFalse();
    assertThat(command.getArgumentsList()).hasSize(2).startsWith("-c");
    assertThat(command.getArgumentsList().toString()).doesNotContain("echo");
    assertThat(variables(info)).containsEntry("OB_MESOS_BODY_0", "echo\n");
    assertThat(command.getUser()).isEqualTo("nobody");
    assertThat(container.getVolumesList())
        .containsExactly(
            Volume.newBuilder()
                .setHostPath("/data")
                .setContainerPath("/var/data")
                .setMode(Volume.Mode.RO)
                .build());
  }

  @Test
  void dockersEntrypointIsLeftAloneForAnEmptyBlock() {
    TaskInfo info =
        info(block(container(Image.Containerizer.DOCKER, true, "own-net"), ""), 31001, 31002);
    ContainerInfo.DockerInfo docker = info.getContainer().getDocker();
    assertThat(docker.getParametersList()).isEmpty();
    assertThat(docker.getNetwork()).isEqualTo(ContainerInfo.DockerInfo.Network.USER);
    assertThat(info.getContainer().getNetworkInfos(0).getName()).isEqualTo("own-net");
    assertThat(info.getCommand().getShell()).isFalse();
    assertThat(info.getCommand().hasValue()).isFalse();
    assertThat(info.getCommand().getArgumentsList()).isEmpty();
  }

  @Test
  void mesosItselfTakesAnImageToo() {
    TaskInfo info =
        info(block(container(Image.Containerizer.MESOS, false, "net"), "echo"), 31001, 31002);
    ContainerInfo container = info.getContainer();
    assertThat(container.getType()).isEqualTo(ContainerInfo.Type.MESOS);
    assertThat(container.getMesos().getImage().getDocker().getName()).isEqualTo("redis:7");
    assertThat(container.getMesos().getImage().getCached()).isFalse();
    assertThat(container.getNetworkInfos(0).getName()).isEqualTo("net");
    assertThat(container.getNetworkInfos(0).getPortMappings(0).getHostPort()).isEqualTo(31002);
    assertThat(info.getCommand().getValue()).isEqualTo("/bin/sh");
    assertThat(info.getCommand().getArgumentsList()).startsWith("sh", "-c");
  }

  @Test
  void mesosItselfGivesNoPrivileges() {
    assertThatThrownBy(
            () ->
                new Container(
                    new Image("redis:7", Image.Containerizer.MESOS, false, false),
                    Network.HOST,
                    List.of(),
                    true))
        .hasMessageContaining("privileged");
  }

  /** The supervisor starts the interpreter itself; what is in the data can be stored. */
  @Test
  void theEmbeddedClusterGetsTheProgramOfATaskWithoutAShellAroundIt() {
    TaskInfo info = info(true, TestBlocks.of("b", "echo hi"));
    assertThat(info.getData().toStringUtf8())
        .contains("\"argv\":[\"sh\"]", "\"body\":\"echo hi\\n\"")
        .doesNotContain("hush");
    assertThat(info.getCommand().hasValue()).isFalse();
    assertThat(info.getCommand().getEnvironment().getVariablesList())
        .extracting(Environment.Variable::getName)
        .containsExactly("TOKEN");
  }

  @Test
  void portsSecretsFilesAndHealthAreWhereMesosWantsThem() {
    TaskInfo info =
        info(block(container(Image.Containerizer.DOCKER, false, "bridge"), "echo"), 31001, 31002);
    assertThat(variables(info))
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "A",
                "1",
                "OB_MESOS_BODY_0",
                "echo\n",
                "PORT0",
                "31001",
                "PORT_WEB",
                "31001",
                "PORT1",
                "31002",
                "PORT_6379",
                "31002"));
    Environment.Variable secret =
        info.getCommand().getEnvironment().getVariablesList().stream()
            .filter(Environment.Variable::hasSecret)
            .findFirst()
            .orElseThrow();
    assertThat(secret.getName()).isEqualTo("TOKEN");
    assertThat(secret.getSecret().getValue().getData().toStringUtf8()).isEqualTo("hush");
    CommandInfo.URI uri = info.getCommand().getUris(0);
    assertThat(uri.getValue()).isEqualTo("http://host/x.tgz");
    assertThat(uri.getExtract() && uri.getCache() && !uri.getExecutable()).isTrue();
    assertThat(uri.getOutputFile()).isEqualTo("y.tgz");
    HealthCheck check = info.getHealthCheck();
    assertThat(check.getType()).isEqualTo(HealthCheck.Type.HTTP);
    assertThat(check.getHttp().getPort()).isEqualTo(31001);
    assertThat(check.getHttp().getPath()).isEqualTo("/ok");
  }

  @Test
  void aBodyIsInTheEnvironmentUnlessItIsTooLargeForTheContainerizerOfACluster() {
    String small = "echo small";
    String large = "#" + "x".repeat(60_000);
    assertThat(arguments(info(TestBlocks.of("b", small)))).doesNotContain(small);
    Container container = container(Image.Containerizer.DOCKER, false, "bridge");
    assertThat(arguments(info(true, block(container, large), 31001, 31002))).doesNotContain(large);
    TaskInfo task = info(TestBlocks.of("b", large));
    assertThat(arguments(task)).containsOnlyOnce(large);
    assertThat(task.getCommand().getEnvironment().toString()).doesNotContain("xxx");
  }

  private static String arguments(TaskInfo task) {
    return String.join(" ", task.getCommand().getArgumentsList());
  }
}

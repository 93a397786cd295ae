// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.obmesos.rpc.ServerProcess;

/**
 * Containers on the embedded cluster, from an image made of this machine's shell, where podman can
 * run. It cannot everywhere: a machine that is a container itself has often not the rights.
 */
final class ContainerTest {
  private static final String IMAGE = "localhost/ob-mesos-test";

  @TempDir private static Path root;
  @TempDir private Path directory;
  private ServerProcess server;

  private static int run(String script) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder("sh", "-c", script)
            .directory(root.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    return process.waitFor(60, TimeUnit.SECONDS) ? process.exitValue() : -1;
  }

  @BeforeAll
  static void makeImage() throws Exception {
    assumeTrue(run("command -v podman") == 0, "there is no podman");
    // The shell, a few programs, and the libraries they are linked with.
    assertThat(
            run(
                """
                mkdir -p image/bin image/mnt image/tmp &&
                for program in sh cat sleep pwd; do
                  cp -L "$(command -v $program)" image/bin/ 2>/dev/null || cp -L /bin/$program image/bin/
                  ldd "$(command -v $program || echo /bin/$program)" 2>/dev/null |
                    grep -o '/[^ ]*' | while read -r library; do
                      mkdir -p "image$(dirname "$library")" && cp -Lu "$library" "image$library"
                    done
                done
                tar -C image -c . | podman import -c 'CMD ["/bin/sh", "-c", "echo the image itself"]' \
                  - %1$s"""
                    .formatted(IMAGE)))
        .isZero();
    assumeTrue(
        run("podman run --rm --network host " + IMAGE + " sh -c true") == 0,
        "podman cannot run here");
  }

  @AfterAll
  static void removeImage() throws Exception {
    run("podman rmi -f " + IMAGE);
  }

  @BeforeEach
  void start() throws IOException {
    server = new ServerProcess(directory.resolve("state"));
    server.call("initialize", "{}");
  }

  @AfterEach
  void stop() {
    server.close();
    ServerProcess.endSupervisor(directory.resolve("state"));
  }

  private JsonObject run(String id, String body, String container) throws IOException {
    server.call(
        "task/submit",
        "{\"blocks\":[{\"id\":\"%s\",%s\"environment\":{\"A\":\"b c\"},\"ports\":[\"0\"],\"container\":{\"image\":\"%s\"%s}}]}"
            .formatted(id, body.isEmpty() ? "" : "\"body\":\"" + body + "\",", IMAGE, container));
    return server.ended(id);
  }

  private static String stdout(JsonObject task) {
    return task.getAsJsonObject("result").get("stdout").getAsString();
  }

  @Test
  void aBlockRunsInAContainerWithItsSandbox() throws Exception {
    Files.writeString(directory.resolve("data"), "from the host");
    JsonObject task =
        run(
            "in",
            "echo $A; pwd; cat /data/data; echo x > /own/file; cat own/file; echo > /data/written; cat "
                + directory
                + "/data || exit 7",
            ",\"volumes\":[{\"host\":\""
                + directory
                + "\",\"container\":\"/data\",\"readOnly\":true},{\"host\":\"own\",\"container\":\"/own\"}]");
    assertThat(stdout(task)).isEqualTo("b c\n/mnt/mesos/sandbox\nfrom the hostx\n");
    assertThat(task.get("exitStatus").getAsInt()).isEqualTo(7);
    assertThat(directory.resolve("written")).doesNotExist();
    assertThat(task.get("ports").getAsJsonArray()).hasSize(1);
  }

  @Test
  void anEmptyBlockRunsWhatTheImageIsFor() throws IOException {
    assertThat(stdout(run("entry", "", ",\"entrypoint\":true"))).isEqualTo("the image itself\n");
  }

  @Test
  void anImageThatIsNotThereIsSaid() throws IOException {
    server.call(
        "task/submit",
        "{\"blocks\":[{\"id\":\"a\",\"body\":\"true\",\"container\":{\"image\":\"localhost/no-such-image\"}}]}");
    JsonObject task = server.ended("a");
    assertThat(task.get("state").getAsString()).isEqualTo("FAILED");
    assertThat(task.get("message").getAsString())
        .startsWith("Failed to launch container: ")
        .contains("no-such-image");
  }

  @Test
  void aPortIsExposedThroughABridge() throws Exception {
    assumeTrue(
        run("podman run --rm --network bridge " + IMAGE + " sh -c true") == 0,
        "podman has no bridge here");
    server.request(
        "task/submit",
        """
        {"blocks":[{"id":"bridge","body":"echo $PORT_8080; sleep 300","container":{"image":"%s",\
        "network":"bridge","expose":[{"container":8080}]}}]}"""
            .formatted(IMAGE));
    String port = server.output("bridge", "[0-9]+").replaceAll("\\D", "");
    assertThat(run("podman port ob-mesos-bridge | grep -q '^8080/tcp -> .*:" + port + "$'"))
        .isZero();
    server.request("task/kill", "{\"ids\":[\"bridge\"]}");
    server.ended("bridge");
  }

  @Test
  void aKillEndsTheContainerTooAndWhatRunsInItHearsOfIt() throws Exception {
    server.request(
        "task/submit",
        "{\"blocks\":[{\"id\":\"kill\",\"body\":\"trap 'echo heard; exit 0' TERM; echo begun; while :; do sleep 0.1; done\",\"container\":{\"image\":\"%s\"}}]}"
            .formatted(IMAGE));
    server.output("kill", "begun");
    assertThat(run("podman ps --format '{{.Names}}' | grep -q ob-mesos-kill")).isZero();
    server.request("task/kill", "{\"ids\":[\"kill\"]}");
    JsonObject task = server.ended("kill");
    assertThat(task.get("state").getAsString()).isEqualTo("KILLED");
    assertThat(stdout(task)).isEqualTo("begun\nheard\n");
    assertThat(run("podman ps -a --format '{{.Names}}' | grep -q ob-mesos-kill")).isNotZero();
  }
}

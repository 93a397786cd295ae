// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.obmesos.driver.Credentials;
import org.obmesos.driver.MesosHttpClient;
import org.obmesos.task.Task;
import org.obmesos.task.TaskId;
import org.obmesos.task.TaskState;

/**
 * The whole framework with a master that fails. The verdict is always the same: no task lost, none
 * run twice, every result right.
 */
final class FailureTest extends FrameworkTests {
  @Test
  void twoHundredTasksOverHttp() throws Exception {
    connect(master.address());
    submit(blocks(200, "true"));
    verdict(200);
  }

  @Test
  void aStreamThatIsCutInTheMiddleOfARecordIsMadeAgain() throws Exception {
    connect(master.address());
    submit(blocks(20, "sleep 1"));
    awaitRunning();
    master.cutInTheMiddleOfARecord();
    verdict(20);
    assertThat(troubles).anySatisfy(why -> assertThat(why).contains("No connection to the master"));
  }

  @Test
  void aMasterThatFallsSilentIsGivenUp() throws Exception {
    TestMaster other = new TestMaster(cluster);
    try {
      connect(master.address() + "," + other.address());
      submit(blocks(20, "sleep 1"));
      awaitRunning();
      master.fallSilent();
      verdict(20);
      assertThat(troubles).anySatisfy(why -> assertThat(why).contains("silent"));
    } finally {
      other.close();
    }
  }

  @Test
  void anotherMasterThatLeadsIsFollowed() throws Exception {
    TestMaster other = new TestMaster(cluster);
    try {
      connect(master.address());
      submit(blocks(20, "sleep 1"));
      awaitRunning();
      master.giveWayTo(other.address());
      verdict(20);
    } finally {
      other.close();
    }
  }

  @Test
  void aMasterThatIsBusyIsAskedAgain() throws Exception {
    connect(master.address());
    master.beBusy(5);
    submit(blocks(10, "true"));
    verdict(10);
  }

  @Test
  void mastersThatNameEachOtherAreNotFollowedForEver() throws Exception {
    TestMaster other = new TestMaster(cluster);
    try {
      master.giveWayTo(other.address());
      other.giveWayTo(master.address());
      connect(master.address());
      await()
          .atMost(LONG)
          .until(
              () -> troubles.stream().anyMatch(why -> why.contains("redirects to another master")));
    } finally {
      other.close();
    }
  }

  @Test
  void credentialsAreWantedAndGiven() throws Exception {
    Credentials ours = new Credentials("me", "geheim");
    master.want(ours.header());
    connect(
        master.address(),
        MesosHttpClient.of(Optional.of(ours), MesosHttpClient.Trust.SYSTEM),
        Optional.of("me"));
    submit(blocks(3, "true"));
    verdict(3);
  }

  @Test
  void withoutTheRightCredentialsTheUserHearsSoAndTheBlocksWait() throws Exception {
    master.want("Basic other");
    connect(master.address());
    submit(blocks(3, "true"));
    await()
        .atMost(LONG)
        .until(() -> troubles.stream().anyMatch(why -> why.contains("principal and a secret")));
    assertThat(framework.list().join())
        .allSatisfy(task -> assertThat(task.state()).isEqualTo(TaskState.QUEUED));
    framework.kill(List.of(new TaskId("task-0"))).join();
    await()
        .until(
            () ->
                framework.get(List.of(new TaskId("task-0"))).join().get(0).state()
                    == TaskState.KILLED);
  }

  @Test
  void anAgentWithoutItsApiIsReadTheOlderWay() throws Exception {
    master.forbidAgentApi();
    connect(master.address());
    submit(List.of(block("task-0", "printf 'ü\\377\\\\\"\\n'")));
    await().atMost(LONG).until(() -> framework.list().join().get(0).state().isTerminal());
    assertThat(framework.result(new TaskId("task-0")).join().orElseThrow().stdout())
        .isEqualTo("ü\ufffd\\\"\n");
  }

  private TestMaster https(TestCertificate certificate) throws Exception {
    return new TestMaster(cluster, Optional.of(certificate.context()), 0);
  }

  @Test
  void aCertificateThatIsNotTrustedIsSaidInASentence() throws Exception {
    try (TestMaster secure = https(new TestCertificate(directory))) {
      connect("https://" + secure.address());
      saidWithinFiveSeconds("its certificate is not trusted");
    }
  }

  @Test
  void aCertificateOfOurOwnAuthorityIsTrustedAndSoIsAnyIfTheUserSaysSo() throws Exception {
    TestCertificate certificate = new TestCertificate(directory);
    try (TestMaster secure = https(certificate)) {
      List<MesosHttpClient.Trust> trusts =
          List.of(certificate.trust(), new MesosHttpClient.Trust(Optional.empty(), false));
      for (MesosHttpClient.Trust trust : trusts) {
        connect(
            "https://" + secure.address(),
            MesosHttpClient.of(Optional.empty(), trust),
            Optional.empty(),
            Map.of(secure.address(), "https://" + secure.address()));
        String id = "task-" + trusts.indexOf(trust);
        submit(List.of(block(id, "echo over tls")));
        await().atMost(LONG).until(() -> framework.result(new TaskId(id)).join().isPresent());
        assertThat(framework.result(new TaskId(id)).join().orElseThrow().stdout())
            .isEqualTo("over tls\n");
        framework.close();
      }
    }
  }

  @Test
  void nobodyListensIsSaidInASentence() throws Exception {
    int port;
    try (ServerSocket socket = new ServerSocket(0)) {
      port = socket.getLocalPort();
    }
    connect("localhost:" + port);
    saidWithinFiveSeconds(
        "No connection to the master at localhost:" + port + ": connection refused");
  }

  @Test
  void whatIsAskedBeforeTheStoreIsReadIsDoneInTheOrderItWasAsked() throws Exception {
    for (int n = 0; n < 1000; n++) {
      var unused = store.tasks();
    }
    connect("localhost:1");
    var submitted = framework.submit(List.of(block("early", "true")), Map.of());
    var killed = framework.kill(List.of(new TaskId("early")));
    submitted.join();
    assertThat(killed.join()).hasSize(1);
    await()
        .atMost(LONG)
        .untilAsserted(
            () ->
                assertThat(framework.list().join())
                    .extracting(Task::state)
                    .containsExactly(TaskState.KILLED));
  }

  @Test
  void aHostThatDoesNotResolveIsSaidInASentence() throws Exception {
    connect("no-such-host.invalid");
    saidWithinFiveSeconds("unknown host");
  }

  @Test
  void aMesosFromBeforeTheSchedulerApiIsSaidInASentence() throws Exception {
    // libprocess answers so where there is no such route.
    answered(404, "", "not a Mesos master of version 1.0 or newer");
  }

  @Test
  void aWebServerThatIsNoMasterIsSaidInASentence() throws Exception {
    answered(200, "<html>hello</html>", "it answers, but is not a Mesos master");
  }

  private void answered(int status, String page, String said) throws Exception {
    HttpServer web =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    web.createContext(
        "/",
        exchange -> {
          byte[] body = page.getBytes(java.nio.charset.StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    web.start();
    try {
      connect("localhost:" + web.getAddress().getPort());
      saidWithinFiveSeconds(said);
    } finally {
      web.stop(0);
    }
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page, in a real browser. */
final class PageTest {
  private static final String TOKEN = "a token of some length";

  @TempDir Path directory;
  private Browser browser;

  @BeforeEach
  void open() throws IOException {
    assumeTrue(Browser.isThere(), "chromedriver is not on this machine (./ob-mesos test gets it)");
    try {
      browser = new Browser();
    } catch (IOException e) {
      // A root without /etc/hosts, say, where it does not find itself.
      abort("no browser can be driven here: " + e.getMessage());
    }
  }

  @AfterEach
  void close() throws IOException {
    if (browser != null) {
      browser.close();
    }
  }

  private void awaitText(String... words) {
    await()
        .atMost(HttpServerProcess.LONG)
        .untilAsserted(() -> assertThat(browser.text()).contains(words));
  }

  @Test
  void documentsTasksAndTailsAreShownAsTheyChange() throws IOException {
    Path go = directory.resolve("go");
    try (HttpServerProcess server = HttpServerProcess.at(directory.resolve("state"))) {
      browser.go(server.url());
      awaitText("connected", "None was posted yet", "--data-binary");
      String id =
          server.post(
              """
              #+title: <img src=x onerror=document.title='evil'>
              #+name: watched
              #+begin_src sh
              echo 'tail <b>of</b> it'; until test -e %s; do sleep 0.05; done; echo end
              #+end_src
              """
                  .formatted(go));
      awaitText("<img src=x", "watched", "RUNNING", "tail <b>of</b> it");
      Files.createFile(go);
      awaitText("FINISHED", "Command exited with status 0");
      assertThat(browser.run("return document.querySelectorAll('td b, td img').length"))
          .isEqualTo("0");
      browser.click("//tr[@data-id='" + id + "']//button[text()='Text']");
      await()
          .atMost(HttpServerProcess.LONG)
          .untilAsserted(
              () ->
                  assertThat(browser.lastOf(2))
                      .contains("#+RESULTS: watched\n: tail <b>of</b> it\n: end"));
      assertThat(browser.lastOf(1)).contains("Documents");
      browser.click("//tr[@data-id='" + id + "']//button[text()='Delete']");
      awaitText("None was posted yet");
      assertThat(browser.run("return document.title")).isEqualTo("ob-mesos");
    }
  }

  @Test
  void aTokenIsAskedFor() throws IOException {
    try (HttpServerProcess server =
        new HttpServerProcess(
                directory.resolve("state"),
                Map.of("OB_MESOS_HTTP_TOKEN", TOKEN),
                "--http",
                "127.0.0.1:0")
            .listening()) {
      browser.go(server.url());
      awaitText("Token");
      browser.type("//input[@id='token']", TOKEN);
      browser.click("//button[text()='Show']");
      awaitText("connected", "None was posted yet");
      assertThat(browser.text()).doesNotContain("Token");
    }
  }
}

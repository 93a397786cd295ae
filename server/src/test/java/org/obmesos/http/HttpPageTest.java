// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** docs/http.org and the code say the same. */
final class HttpPageTest {
  private static final Path DOCS = Path.of("../docs/http.org");

  @TempDir Path directory;

  @Test
  void eachRequestOfThePageIsAnswered() throws IOException {
    List<String[]> requests = new ArrayList<>();
    Matcher heading =
        Pattern.compile("(?m)^\\*\\* (GET|POST|DELETE) (/\\S*)$").matcher(Files.readString(DOCS));
    while (heading.find()) {
      requests.add(new String[] {heading.group(1), heading.group(2)});
    }
    assertThat(requests).hasSize(14);
    try (HttpServerProcess server = HttpServerProcess.at(directory.resolve("state"))) {
      for (String[] request : requests) {
        String id = server.post("#+begin_src sh\ntrue\n#+end_src\n");
        String path =
            request[1].startsWith("/tasks/")
                ? "/tasks/block-" + id + ".1"
                : request[1].replace("ID", id);
        List<String> arguments = new ArrayList<>(List.of("-X", request[0], "-o", "/dev/null"));
        if (path.endsWith("events")) {
          arguments.addAll(List.of("--max-time", "1", "-w", "\n%{http_code}", "-s"));
        }
        if (request[0].equals("POST")) {
          arguments.addAll(List.of("--data-binary", "#+begin_src sh\ntrue\n#+end_src\n"));
        }
        int status = server.curl(path, arguments.toArray(new String[0])).status();
        assertThat(status).as(request[0] + " " + path).isBetween(200, 204);
      }
    }
  }

  @Test
  void whatIsRefusedAndWhatIsRunIsOnThePage() throws IOException {
    String page = Files.readString(DOCS);
    for (String argument : HeaderArguments.REJECTED.keySet()) {
      assertThat(page).contains("=:" + argument + "=");
    }
    for (String language : SubmittedDocument.languages().keySet()) {
      assertThat(page).containsIgnoringCase("=" + language.replace("python3", "python") + "=");
    }
    assertThat(page).contains("at most %d MiB".formatted(HttpFrontend.MAX_BODY >> 20));
    assertThat(page).contains("%d characters".formatted(HttpFrontendOptions.MIN_TOKEN));
  }
}

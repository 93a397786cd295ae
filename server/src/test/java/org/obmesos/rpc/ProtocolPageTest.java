// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.eclipse.lsp4j.jsonrpc.services.ServiceEndpoints;
import org.junit.jupiter.api.Test;
import org.obmesos.api.Messages;

/** docs/protocol.org and the code do not part ways. */
final class ProtocolPageTest {
  private static String page() throws IOException {
    return Files.readString(Path.of("..", "docs", "protocol.org"));
  }

  private static Set<String> found(String regexp) throws IOException {
    Matcher matcher = Pattern.compile(regexp, Pattern.MULTILINE).matcher(page());
    return matcher
        .results()
        .map(match -> match.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void thePageHasEveryMethodAndNoOther() throws IOException {
    Set<String> methods = new TreeSet<>();
    methods.addAll(ServiceEndpoints.getSupportedMethods(BlockService.class).keySet());
    methods.addAll(ServiceEndpoints.getSupportedMethods(EmacsClient.class).keySet());
    assertThat(found("^\\*\\* (\\S+)$")).isEqualTo(methods);
  }

  @Test
  void thePageHasEveryErrorAndNoOther() throws IOException {
    assertThat(found("^\\| +(-\\d+ \\| \\w+)"))
        .isEqualTo(
            Arrays.stream(ErrorCode.values())
                .map(error -> error.code() + " | " + error.name())
                .collect(Collectors.toCollection(TreeSet::new)));
  }

  @Test
  void thePageNamesEveryField() throws IOException {
    String page = page();
    for (Class<?> message : Messages.class.getDeclaredClasses()) {
      for (RecordComponent component : message.getRecordComponents()) {
        assertThat(page).contains("=" + component.getName() + "=");
      }
    }
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.eclipse.lsp4j.jsonrpc.services.JsonNotification;
import org.eclipse.lsp4j.jsonrpc.services.JsonRequest;
import org.eclipse.lsp4j.jsonrpc.services.ServiceEndpoints;
import org.junit.jupiter.api.Test;
import org.obmesos.api.Messages.TaskItem;

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

  /** The text of the section of a method. */
  private static String section(String method) throws IOException {
    String page = page();
    int begin = page.indexOf("\n** " + method + "\n");
    int end = page.indexOf("\n** ", begin + 1);
    int chapter = page.indexOf("\n* ", begin + 1);
    return page.substring(
        begin, Math.min(end < 0 ? page.length() : end, chapter < 0 ? page.length() : chapter));
  }

  /** The fields of a message and of the messages in it; those of a task are described once. */
  private static void collect(Type type, boolean withTasks, Set<String> fields) {
    if (type instanceof ParameterizedType generic) {
      for (Type argument : generic.getActualTypeArguments()) {
        collect(argument, withTasks, fields);
      }
    } else if (type instanceof Class<?> message
        && message.isRecord()
        && (withTasks || message != TaskItem.class)) {
      for (RecordComponent component : message.getRecordComponents()) {
        fields.add(component.getName());
        collect(component.getGenericType(), withTasks, fields);
      }
    }
  }

  @Test
  void eachSectionNamesTheFieldsOfItsOwnMessages() throws IOException {
    for (Class<?> service : List.of(BlockService.class, EmacsClient.class)) {
      for (Method method : service.getDeclaredMethods()) {
        JsonRequest request = method.getAnnotation(JsonRequest.class);
        JsonNotification notification = method.getAnnotation(JsonNotification.class);
        String name = request != null ? request.value() : notification.value();
        Set<String> fields = new TreeSet<>();
        for (Type parameter : method.getGenericParameterTypes()) {
          collect(parameter, name.equals("task/status"), fields);
        }
        collect(method.getGenericReturnType(), false, fields);
        for (String field : fields) {
          assertThat(section(name)).as(name).contains("=" + field + "=");
        }
      }
    }
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.obmesos.task.Task;
import org.obmesos.task.TaskState;

/**
 * Figures on this server, in the text format of Prometheus (version 0.0.4, the exposition formats
 * page of its documentation) and as JSON.
 */
final class Metrics {
  static final String TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private record Answered(String method, int status) {}

  private final Map<Answered, LongAdder> requests = new ConcurrentHashMap<>();

  /** One more request was answered. */
  void answered(String method, int status) {
    requests.computeIfAbsent(new Answered(method, status), unused -> new LongAdder()).increment();
  }

  /**
   * A figure at one moment.
   *
   * @param labels the names of its labels
   * @param values by the values of those, with a blank between
   */
  private record Figure(
      String name, String type, String help, List<String> labels, Map<String, Double> values) {}

  private static Figure gauge(String name, String help, double value) {
    return new Figure(name, "gauge", help, List.of(), Map.of("", value));
  }

  private List<Figure> figures(List<Task> tasks, int documents, Events events) {
    Map<String, Double> states = new LinkedHashMap<>();
    for (TaskState state : TaskState.values()) {
      states.put(
          state.name(), (double) tasks.stream().filter(task -> task.state() == state).count());
    }
    Map<String, Double> answers = new TreeMap<>();
    requests.forEach(
        (answered, count) ->
            answers.put(answered.method() + " " + answered.status(), count.doubleValue()));
    Runtime runtime = Runtime.getRuntime();
    return List.of(
        gauge(
            "ob_mesos_cluster_connected",
            "Whether there is a connection to the cluster.",
            events.isConnected() ? 1 : 0),
        gauge("ob_mesos_documents", "Documents that were posted and not deleted.", documents),
        new Figure(
            "ob_mesos_tasks",
            "gauge",
            "Tasks that are known, by their states.",
            List.of("state"),
            states),
        gauge("ob_mesos_http_streams", "Readers of events.", events.streams()),
        new Figure(
            "ob_mesos_http_requests_total",
            "counter",
            "Requests that were answered.",
            List.of("method", "status"),
            answers),
        gauge(
            "ob_mesos_heap_used_bytes",
            "Memory in use by objects.",
            (double) (runtime.totalMemory() - runtime.freeMemory())),
        gauge(
            "process_start_time_seconds",
            "When this server was started, in seconds since 1970.",
            ManagementFactory.getRuntimeMXBean().getStartTime() / 1000.0));
  }

  private static String labels(List<String> names, String values) {
    if (names.isEmpty()) {
      return "";
    }
    String[] words = values.split(" ", -1);
    return IntStream.range(0, names.size())
        .mapToObj(index -> "%s=\"%s\"".formatted(names.get(index), words[index]))
        .collect(Collectors.joining(",", "{", "}"));
  }

  /** For Prometheus. */
  String text(List<Task> tasks, int documents, Events events) {
    StringBuilder text = new StringBuilder();
    for (Figure figure : figures(tasks, documents, events)) {
      text.append("# HELP %s %s\n".formatted(figure.name(), figure.help()))
          .append("# TYPE %s %s\n".formatted(figure.name(), figure.type()));
      figure
          .values()
          .forEach(
              (values, value) ->
                  text.append(figure.name())
                      .append(labels(figure.labels(), values))
                      .append(' ')
                      .append(value)
                      .append('\n'));
    }
    return text.toString();
  }

  /** For people, and programs that read JSON. */
  Map<String, Object> json(List<Task> tasks, int documents, Events events) {
    Map<String, Object> all = new LinkedHashMap<>();
    for (Figure figure : figures(tasks, documents, events)) {
      all.put(figure.name(), figure.labels().isEmpty() ? figure.values().get("") : figure.values());
    }
    return all;
  }
}

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
import org.obmesos.task.TaskState;

/**
 * Metrics of this server, in the text format of Prometheus (version 0.0.4, the exposition formats
 * page of its documentation) and as JSON.
 */
final class RequestMetrics {
  static final String TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private record Label(String method, int status) {}

  private final Map<Label, LongAdder> requests = new ConcurrentHashMap<>();

  /** Counts an answered request. */
  void count(String method, int status) {
    requests.computeIfAbsent(new Label(method, status), unused -> new LongAdder()).increment();
  }

  /**
   * A metric and its current values.
   *
   * @param labels the names of its labels
   * @param values the values, by the values of the labels with a space between them
   */
  private record Metric(
      String name, String type, String help, List<String> labels, Map<String, Double> values) {}

  private static Metric gauge(String name, String help, double value) {
    return new Metric(name, "gauge", help, List.of(), Map.of("", value));
  }

  private static Metric counter(String name, String help, double value) {
    return new Metric(name, "counter", help, List.of(), Map.of("", value));
  }

  private List<Metric> metrics(Map<TaskState, Long> tasks, int documents, Events events) {
    Map<String, Double> states = new LinkedHashMap<>();
    tasks.forEach((state, count) -> states.put(state.name(), count.doubleValue()));
    Map<String, Double> answers = new TreeMap<>();
    requests.forEach(
        (label, count) -> answers.put(label.method() + " " + label.status(), count.doubleValue()));
    Runtime runtime = Runtime.getRuntime();
    return List.of(
        gauge(
            "ob_mesos_cluster_connected",
            "Whether there is a connection to the cluster.",
            events.isConnected() ? 1 : 0),
        gauge("ob_mesos_documents", "Posted documents that were not deleted.", documents),
        new Metric("ob_mesos_tasks", "gauge", "Known tasks by state.", List.of("state"), states),
        counter(
            "ob_mesos_task_cpu_seconds_total",
            "Cpu time of ended tasks, where it is known.",
            events.cpuSeconds()),
        counter(
            "ob_mesos_task_wall_seconds_total",
            "Run time of ended tasks, where it is known.",
            events.wallSeconds()),
        gauge("ob_mesos_http_streams", "Open event streams.", events.streams()),
        new Metric(
            "ob_mesos_http_requests_total",
            "counter",
            "Answered requests.",
            List.of("method", "status"),
            answers),
        gauge(
            "ob_mesos_heap_used_bytes",
            "Used heap memory.",
            (double) (runtime.totalMemory() - runtime.freeMemory())),
        gauge(
            "process_start_time_seconds",
            "Start time of this server, in seconds since 1970.",
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

  /** Formats the metrics for Prometheus. */
  String text(Map<TaskState, Long> tasks, int documents, Events events) {
    StringBuilder text = new StringBuilder();
    for (Metric metric : metrics(tasks, documents, events)) {
      text.append("# HELP %s %s\n".formatted(metric.name(), metric.help()))
          .append("# TYPE %s %s\n".formatted(metric.name(), metric.type()));
      metric
          .values()
          .forEach(
              (values, value) ->
                  text.append(metric.name())
                      .append(labels(metric.labels(), values))
                      .append(' ')
                      .append(value)
                      .append('\n'));
    }
    return text.toString();
  }

  /** Returns the metrics as JSON. */
  Map<String, Object> json(Map<TaskState, Long> tasks, int documents, Events events) {
    Map<String, Object> all = new LinkedHashMap<>();
    for (Metric metric : metrics(tasks, documents, events)) {
      all.put(metric.name(), metric.labels().isEmpty() ? metric.values().get("") : metric.values());
    }
    return all;
  }
}

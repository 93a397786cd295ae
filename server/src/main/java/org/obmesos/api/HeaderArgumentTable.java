// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.api;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.obmesos.api.ArgumentType.AnyText;
import org.obmesos.api.ArgumentType.Decimal;
import org.obmesos.api.ArgumentType.Flag;
import org.obmesos.api.ArgumentType.OneOf;
import org.obmesos.api.ArgumentType.Parsed;
import org.obmesos.api.ArgumentType.Whole;
import org.obmesos.task.Retry;
import org.obmesos.task.RunPolicy;

/**
 * The header arguments of a block: their names, types and texts. The elisp file
 * ob-mesos-arguments.el and the table of README.org are generated from this table, and a test
 * compares them.
 */
public final class HeaderArgumentTable {
  /** Where an argument is used. */
  public enum Scope {
    /** In Emacs and in posted documents, as a field of the block. */
    BLOCK,
    /** In Emacs and in posted documents, when the block is submitted. */
    SUBMISSION,
    /** Only in Emacs. */
    EMACS
  }

  /**
   * One header argument.
   *
   * @param name without its colon
   * @param synonyms other names that documents use
   * @param type the values it takes
   * @param field the path of the field in the message of a block; empty if it is none
   * @param scope where it is used
   * @param meaning for the user
   */
  public record Row(
      String name,
      List<String> synonyms,
      ArgumentType type,
      List<String> field,
      Scope scope,
      String meaning) {}

  private static final String CONTAINER = "container";
  private static final List<Row> ROWS = rows();

  private HeaderArgumentTable() {}

  /** Returns the table, in the order of the documentation. */
  public static List<Row> all() {
    return ROWS;
  }

  /** Finds an argument by its name or one of its synonyms. */
  public static Optional<Row> find(String name) {
    return ROWS.stream()
        .filter(row -> row.name().equals(name) || row.synonyms().contains(name))
        .findFirst();
  }

  private static Row field(String name, ArgumentType type, String field, String meaning) {
    return new Row(name, List.of(), type, List.of(field), Scope.BLOCK, meaning);
  }

  private static Row container(String name, ArgumentType type, String field, String meaning) {
    return new Row(name, List.of(), type, List.of(CONTAINER, field), Scope.BLOCK, meaning);
  }

  private static Row submission(String name, ArgumentType type, String meaning) {
    return new Row(name, List.of(), type, List.of(), Scope.SUBMISSION, meaning);
  }

  private static Row emacs(String name, ArgumentType type, String meaning) {
    return new Row(name, List.of(), type, List.of(), Scope.EMACS, meaning);
  }

  private static Row withSynonym(Row row, String synonym) {
    return new Row(
        row.name(), List.of(synonym), row.type(), row.field(), row.scope(), row.meaning());
  }

  private static List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    rows.add(
        emacs(
            "master",
            new AnyText(),
            "cluster to run on: local, host:port, http(s)://host:port, zk://..."));
    addResources(rows);
    addRunPolicy(rows);
    addPlacement(rows);
    addContainer(rows);
    addDataFlow(rows);
    return List.copyOf(rows);
  }

  private static void addResources(List<Row> rows) {
    rows.add(
        withSynonym(
            field("cpus", Decimal.above(0), "cpus", "number of cpus, can be a fraction"), "cpu"));
    rows.add(
        field(
            "mem",
            Parsed.MEMORY,
            "mem",
            "memory in MiB, or with a unit: 512M; 1G..8G: doubled up to 8G after a kill for memory"));
    rows.add(field("disk", Parsed.SIZE, "disk", "disk in MiB, or with a unit"));
    rows.add(field("gpus", new Whole(0, 10_000), "gpus", "number of GPUs"));
  }

  private static void addRunPolicy(List<Row> rows) {
    rows.add(submission("lang", new AnyText(), "language of the body; sh by default"));
    rows.add(
        field(
            "env",
            Parsed.ENVIRONMENT,
            "environment",
            "environment variables: NAME=VALUE words; a list of strings if values have spaces"));
    rows.add(
        field(
            "priority",
            new Whole(-RunPolicy.MAX_PRIORITY, RunPolicy.MAX_PRIORITY),
            "priority",
            "place in the queue, from -1000 to 1000; higher goes first"));
    rows.add(
        field(
            "kill-grace",
            Decimal.from(0),
            "killGrace",
            "seconds between SIGTERM and SIGKILL; 3 by default"));
    rows.add(
        field("timeout", Decimal.above(0), "timeout", "seconds after which the task is killed"));
    rows.add(
        field(
            "attempts",
            new Whole(1, Retry.MAX_ATTEMPTS),
            "attempts",
            "largest number of runs until one succeeds; 1 by default"));
    rows.add(
        field(
            "backoff",
            Decimal.from(0),
            "backoff",
            "seconds between two runs, doubled each time up to a minute; 1 by default"));
    rows.add(
        field(
            "keep",
            new ArgumentType.Time(),
            "keep",
            "time for which the container of a failed task is kept: 90 (seconds), 30m, 2h, 1d"));
    rows.add(
        field(
            "ensure",
            OneOf.of("it-finishes", "it-keeps-running"),
            "ensure",
            "it-finishes: run until it succeeds; it-keeps-running: run again whenever it ends"));
    rows.add(
        field(
            "executor",
            OneOf.of("auto", "own", "shared"),
            "executor",
            "own, or shared with other small tasks on the agent; auto by default"));
    rows.add(
        field(
            "health",
            Parsed.HEALTH,
            "health",
            "cmd COMMAND, http [PORT]/PATH or tcp [PORT]; killed after three failures in a row"));
  }

  private static void addPlacement(List<Row> rows) {
    rows.add(field("agent", Parsed.WORD, "agent", "host name of the agent to run on"));
    rows.add(
        field(
            "constraints",
            Parsed.CONSTRAINTS,
            "constraints",
            "placement constraints: hostname:UNIQUE, rack:LIKE:a.*, zone:GROUP_BY ..."));
    rows.add(field("role", Parsed.WORD, "role", "role whose resources the task uses"));
    rows.add(
        field(
            "ports",
            Parsed.PORTS,
            "ports",
            "number of ports, or their names; the variables are PORT0, PORT_WEB ..."));
    rows.add(
        field(
            "uris",
            Parsed.URIS,
            "uris",
            "files the agent fetches; +extract, +executable, +cache, +as=NAME"));
    rows.add(field("user", Parsed.WORD, "user", "user who runs the task on the agent"));
    rows.add(
        new Row(
            "secret",
            List.of(),
            Parsed.SECRETS,
            List.of("secrets"),
            Scope.EMACS,
            "NAME=HOST or NAME=USER@HOST: a variable with a value from auth-source"));
  }

  private static void addContainer(List<Row> rows) {
    rows.add(
        withSynonym(
            container("image", Parsed.WORD, "image", "image of the container"), "dockerimage"));
    rows.add(
        container(
            "dockerize",
            new Flag("docker"),
            "containerizer",
            "t: the same as containerizer docker"));
    rows.add(
        container(
            "containerizer",
            OneOf.of("docker", "mesos"),
            "containerizer",
            "containerizer of the agent: docker (the default) or mesos"));
    rows.add(
        container(
            "network",
            Parsed.WORD,
            "network",
            "network of the container: host, bridge or a name; bridge with expose, else host"));
    rows.add(
        container(
            "expose",
            Parsed.EXPOSE,
            "expose",
            "HOST-PORT:CONTAINER-PORT words; a number alone is mapped to an offered port"));
    rows.add(
        container(
            "volumes",
            Parsed.VOLUMES,
            "volumes",
            "PATH:CONTAINER-PATH words, read-only with :ro; PATH is on the host, or in the sandbox"));
    rows.add(
        container(
            "privileged",
            new Flag(""),
            "privileged",
            "yes: the container has all capabilities of root"));
    rows.add(
        container(
            "pull",
            OneOf.of("always", "missing"),
            "pull",
            "always: pull the image even if it is present"));
    rows.add(
        container(
            "entrypoint",
            new Flag(""),
            "entrypoint",
            "yes: an empty block runs the image's command"));
  }

  private static void addDataFlow(List<Row> rows) {
    rows.add(
        withSynonym(
            submission("after", new AnyText(), "names of blocks that must finish first"),
            "requires"));
    rows.add(
        submission(
            "instances",
            new Whole(1, 10_000),
            "number of copies to run; each has OB_MESOS_INDEX, OB_MESOS_COUNT"));
    rows.add(
        field(
            "limit",
            new Whole(1, 10_000),
            "limit",
            "largest number of copies that run at once; all by default"));
    rows.add(
        field(
            "cache",
            OneOf.of("yes", "no"),
            "reuse",
            "yes: reuse the result of an earlier run if no input has changed"));
    rows.add(
        submission(
            "provenance",
            OneOf.of("yes", "no"),
            "yes: insert a drawer with the task, agent, times and key below the result"));
    rows.add(emacs("foreach", new AnyText(), "NAME=LIST, TABLE or BLOCK: a task for each element"));
    rows.add(emacs("files", new AnyText(), "names of local files to send with the block"));
    rows.add(
        emacs(
            "fetch",
            new AnyText(),
            "names of the task's files to copy into the document's directory"));
    rows.add(
        emacs(
            "stdin",
            new AnyText(),
            "block or table whose value is standard input; interactive: see `ob-mesos-send'"));
    rows.add(emacs("cmdline", new AnyText(), "command line arguments, quoted as for a shell"));
    rows.add(
        emacs("shebang", new AnyText(), "first line of the body, which is then run as a program"));
    rows.add(
        submission(
            "mesos",
            OneOf.of("yes", "no"),
            "yes: run on the cluster, in any language; see `ob-mesos-global-mode'"));
    rows.add(submission("wait", OneOf.of("yes", "no"), "yes: wait for the result"));
    rows.add(
        field(
            "tail",
            new Whole(0, RunPolicy.MAX_TAIL_LINES),
            "tailLines",
            "number of last lines to show while it runs; 10 by default"));
  }

  /** Returns the rows as a list for Emacs Lisp: name, synonyms, type, field, meaning. */
  public static String toLisp() {
    return ROWS.stream().map(HeaderArgumentTable::toLisp).collect(Collectors.joining("\n    "));
  }

  private static String toLisp(Row row) {
    String synonyms = row.synonyms().isEmpty() ? "nil" : "(" + row.synonyms().get(0) + ")";
    String field =
        switch (row.field().size()) {
          case 0 -> "nil";
          case 1 -> ":" + row.field().get(0);
          default ->
              row.field().stream()
                  .map(name -> ":" + name)
                  .collect(Collectors.joining(" ", "(", ")"));
        };
    return "(%s %s %s %s%n     \"%s\")"
        .formatted(row.name(), synonyms, row.type().toLisp(), field, row.meaning());
  }

  /** Returns the rows as an Org table. */
  public static String toOrg() {
    StringBuilder table = new StringBuilder("| argument | meaning |\n|-\n");
    for (Row row : ROWS) {
      table.append("| =:%s= | %s |%n".formatted(row.name(), row.meaning()));
      for (String synonym : row.synonyms()) {
        table.append("| =:%s= | the same as %s |%n".formatted(synonym, row.name()));
      }
    }
    return table.toString();
  }
}

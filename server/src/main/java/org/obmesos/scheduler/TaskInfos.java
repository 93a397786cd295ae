// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.apache.mesos.v1.Protos.DurationInfo;
import org.apache.mesos.v1.Protos.Environment;
import org.apache.mesos.v1.Protos.KillPolicy;
import org.apache.mesos.v1.Protos.Label;
import org.apache.mesos.v1.Protos.Labels;
import org.apache.mesos.v1.Protos.Offer;
import org.apache.mesos.v1.Protos.TaskID;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.obmesos.driver.MesosResources;
import org.obmesos.task.Block;
import org.obmesos.task.Limits;
import org.obmesos.task.Origin;
import org.obmesos.task.Program;
import org.obmesos.task.Task;

/**
 * From a block to what Mesos launches. The body travels as arguments, each below the kernel's limit
 * of 128 KiB for one (MAX_ARG_STRLEN, execve(2)), is written into the sandbox and run from there.
 */
final class TaskInfos {
  /** At most three bytes of UTF-8 each, so at most 96 KiB. */
  private static final int CHUNK_CHARS = 32 * 1024;

  private static final String BODY_FILE = ".block";

  private TaskInfos() {}

  static TaskInfo of(Task task, Offer offer) {
    Block block = task.block();
    String name = block.origin().name();
    TaskInfo.Builder info =
        TaskInfo.newBuilder()
            .setName(name.isEmpty() ? block.id().value() : name)
            .setTaskId(TaskID.newBuilder().setValue(task.mesosTaskId()))
            .setAgentId(offer.getAgentId())
            .addAllResources(
                MesosResources.list(block.resources(), offer.getAllocationInfo().getRole()))
            .setCommand(command(block.program()))
            .setLabels(labels(block.origin()));
    Limits limits = block.limits();
    info.setKillPolicy(KillPolicy.newBuilder().setGracePeriod(duration(limits.killGrace())));
    if (!limits.timeout().isZero()) {
      info.setMaxCompletionTime(duration(limits.timeout()));
    }
    return info.build();
  }

  /** What an operator sees of where a task comes from. */
  private static Labels labels(Origin origin) {
    Labels.Builder labels = Labels.newBuilder();
    label(labels, "block", origin.name());
    label(labels, "document", origin.document());
    label(labels, "user", System.getProperty("user.name"));
    return labels.build();
  }

  private static void label(Labels.Builder labels, String key, String value) {
    if (!value.isEmpty()) {
      labels.addLabels(Label.newBuilder().setKey(key).setValue(value));
    }
  }

  private static DurationInfo duration(Duration duration) {
    return DurationInfo.newBuilder().setNanoseconds(duration.toNanos()).build();
  }

  private static CommandInfo command(Program program) {
    CommandInfo.Builder command =
        CommandInfo.newBuilder()
            .setShell(false)
            .setValue("/bin/sh")
            .addArguments("sh")
            .addArguments("-c")
            .addArguments(script(program))
            .addArguments("sh")
            .addAllArguments(chunks(program.body() + "\n"));
    Environment.Builder environment = Environment.newBuilder();
    program
        .environment()
        .forEach(
            (name, value) ->
                environment.addVariables(
                    Environment.Variable.newBuilder().setName(name).setValue(value)));
    return command.setEnvironment(environment).build();
  }

  /** Writes the body down, goes where it shall run, and becomes the interpreter. */
  private static String script(Program program) {
    String interpreter =
        program.interpreter().stream().map(TaskInfos::quote).collect(Collectors.joining(" "));
    String directory = program.directory();
    String enter =
        directory.isEmpty()
            ? ""
            : directory.startsWith("/")
                ? "cd " + quote(directory) + " && "
                : "mkdir -p "
                    + quote("./" + directory)
                    + " && cd "
                    + quote("./" + directory)
                    + " && ";
    return "block=$PWD/"
        + BODY_FILE
        + " && printf %s \"$@\" > \"$block\" && "
        + enter
        + "exec "
        + interpreter
        + " \"$block\"";
  }

  private static String quote(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }

  static List<String> chunks(String text) {
    List<String> chunks = new ArrayList<>();
    int from = 0;
    while (from < text.length()) {
      int to = Math.min(text.length(), from + CHUNK_CHARS);
      if (to < text.length() && Character.isHighSurrogate(text.charAt(to - 1))) {
        to--;
      }
      chunks.add(text.substring(from, to));
      from = to;
    }
    return chunks;
  }
}

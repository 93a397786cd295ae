// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos;

import java.io.ByteArrayInputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.obmesos.local.LocalMesos;
import org.obmesos.local.LocalOptions;
import org.obmesos.rpc.Messages.InitializeResult;
import org.obmesos.rpc.Messages.PeerInfo;
import org.obmesos.rpc.RpcServer;
import org.obmesos.sandbox.LocalSandboxes;
import org.obmesos.scheduler.Framework;
import org.obmesos.scheduler.FrameworkListener;
import org.obmesos.scheduler.FrameworkOptions;
import org.obmesos.store.StateDirectory;
import org.obmesos.store.Store;
import org.obmesos.task.Resources;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;

/** The command line, and who is given what. */
@Command(
    name = "ob-mesos-server",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Runs Org source blocks on a cluster; speaks JSON-RPC on stdin and stdout.")
public final class Main implements Callable<Integer> {
  private static final String LOCAL = "local";

  @Option(
      names = "--master",
      paramLabel = "MASTER",
      defaultValue = LOCAL,
      description = "Where to run: 'local', the embedded one-machine cluster (the default).")
  private String master;

  @Option(
      names = "--state-dir",
      paramLabel = "DIR",
      description = "Where tasks and results are kept; $XDG_STATE_HOME/ob-mesos by default.")
  private Path stateDir;

  @Option(
      names = "--log-level",
      paramLabel = "LEVEL",
      defaultValue = "warn",
      description = "error, warn, info or debug; the log goes to stderr. Default: warn.")
  private String logLevel;

  @Option(
      names = "--cpus",
      paramLabel = "N",
      description = "Cpus the embedded cluster offers; the machine's, at least 4, by default.")
  private Double cpus;

  @Option(
      names = "--mem",
      paramLabel = "MIB",
      description = "Memory in MiB it offers; the machine's by default.")
  private Double mem;

  @Option(
      names = "--result-limit",
      paramLabel = "BYTES",
      defaultValue = "262144",
      description = "The most of a task's output its result holds. Default: 262144.")
  private int resultLimit;

  @Option(
      names = "--rehearse",
      hidden = true,
      description = "Play a short session with itself, for the class-data archive.")
  private boolean rehearse;

  private final InputStream in;
  private final OutputStream out;

  private Main(InputStream in, OutputStream out) {
    this.in = in;
    this.out = out;
  }

  /** Runs the server; stdout carries nothing but JSON-RPC from here on. */
  public static void main(String[] arguments) {
    OutputStream out = new FileOutputStream(FileDescriptor.out);
    System.setOut(System.err);
    // The bindings' generated code is older than the runtime; without this it warns per type.
    System.setProperty("com.google.protobuf.use_unsafe_pre22_gencode", "true");
    CommandLine line =
        new CommandLine(new Main(new FileInputStream(FileDescriptor.in), out))
            .setOut(new java.io.PrintWriter(out, true, StandardCharsets.UTF_8));
    Runtime.getRuntime().halt(line.execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", logLevel);
    System.setProperty("org.slf4j.simpleLogger.showDateTime", "true");
    if (!master.equals(LOCAL)) {
      System.err.println(
          "--master: only 'local', the embedded cluster, can be used in this version, not "
              + master);
      return CommandLine.ExitCode.USAGE;
    }
    return rehearse
        ? rehearse()
        : serve(in, out, Optional.ofNullable(stateDir).orElseGet(Main::defaultStateDir));
  }

  private int serve(InputStream input, OutputStream output, Path base) throws IOException {
    try (StateDirectory state = StateDirectory.open(base.resolve(LOCAL));
        Store store = new Store(state.path().resolve("store.db"))) {
      InitializeResult introduction =
          new InitializeResult(
              new PeerInfo("ob-mesos", Version.number()),
              master,
              state.path().toString(),
              state.slot());
      boolean orderly =
          RpcServer.serve(
              input, output, introduction, listener -> framework(store, state, listener));
      state.ending();
      return orderly ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
    }
  }

  private Framework framework(Store store, StateDirectory state, FrameworkListener listener) {
    Path work = state.path().resolve("cluster");
    Resources machine = LocalOptions.machine(state.path());
    Resources capacity =
        new Resources(
            cpus == null ? machine.cpus() : cpus,
            mem == null ? machine.memMiB() : mem,
            machine.diskMiB());
    LocalOptions options = new LocalOptions(work, capacity, LocalOptions.DEFAULT_SANDBOX_AGE);
    return new Framework(
        store,
        new LocalSandboxes(work),
        new FrameworkOptions("ob-mesos", Duration.ofDays(7), resultLimit, Optional.of(capacity)),
        listener,
        scheduler -> new LocalMesos(scheduler, options));
  }

  private static Path defaultStateDir() {
    String xdg = System.getenv("XDG_STATE_HOME");
    Path base =
        xdg == null || xdg.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".local", "state")
            : Path.of(xdg);
    return base.resolve("ob-mesos");
  }

  /** Loads the classes a session needs, by having one. */
  private int rehearse() throws IOException {
    Path scratch = Files.createTempDirectory("ob-mesos");
    String block = "{\"blocks\":[{\"id\":\"rehearsal\",\"body\":\"echo\"}]}";
    String session =
        frame("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{}}")
            + frame("{\"jsonrpc\":\"2.0\",\"method\":\"initialized\",\"params\":{}}")
            + frame(
                "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"task/submit\",\"params\":"
                    + block
                    + "}");
    InputStream script =
        new java.io.SequenceInputStream(
            new ByteArrayInputStream(session.getBytes(StandardCharsets.UTF_8)), new Pause());
    int status = serve(script, OutputStream.nullOutputStream(), scratch);
    try (Stream<Path> files = Files.walk(scratch)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
    return status;
  }

  private static String frame(String content) {
    return "Content-Length: " + content.length() + "\r\n\r\n" + content;
  }

  /** A client that says nothing for a second and then is gone. */
  private static final class Pause extends InputStream {
    @Override
    public int read() {
      try {
        Thread.sleep(1000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return -1;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) {
      return read();
    }
  }

  /** The version, from the jar. */
  static final class Version implements IVersionProvider {
    static String number() {
      return Optional.ofNullable(Main.class.getPackage().getImplementationVersion())
          .orElse("development");
    }

    @Override
    public String[] getVersion() {
      return new String[] {"ob-mesos " + number()};
    }
  }
}

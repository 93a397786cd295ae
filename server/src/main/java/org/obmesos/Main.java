// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.obmesos.driver.Credentials;
import org.obmesos.driver.HttpMesos;
import org.obmesos.driver.MasterAddress;
import org.obmesos.driver.NativeMesos;
import org.obmesos.driver.SchedulerDriver;
import org.obmesos.driver.Web;
import org.obmesos.http.Door;
import org.obmesos.http.DoorOptions;
import org.obmesos.local.LocalMesos;
import org.obmesos.local.LocalOptions;
import org.obmesos.rpc.Messages.InitializeResult;
import org.obmesos.rpc.Messages.PeerInfo;
import org.obmesos.rpc.RpcServer;
import org.obmesos.sandbox.AgentSandboxes;
import org.obmesos.sandbox.LocalSandboxes;
import org.obmesos.scheduler.Bounds;
import org.obmesos.scheduler.Framework;
import org.obmesos.scheduler.FrameworkListener;
import org.obmesos.scheduler.FrameworkOptions;
import org.obmesos.store.StateDirectory;
import org.obmesos.store.Store;
import org.obmesos.task.Resources;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Mixin;
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
      description =
          "Where to run: 'local', the embedded one-machine cluster (the default); host:port;"
              + " http(s)://host:port; several of these with commas between; or"
              + " zk://host:2181,host:2181/mesos.")
  private String master;

  @Option(
      names = "--driver",
      paramLabel = "DRIVER",
      defaultValue = "http",
      description =
          "How to speak to a master: http (the default), or native, through libmesos, which"
              + " MESOS_NATIVE_JAVA_LIBRARY has to name.")
  private String driver;

  @Option(
      names = "--credential",
      paramLabel = "FILE",
      description =
          "A file with the principal and the secret, on one line with a space between. Without it"
              + " MESOS_PRINCIPAL and MESOS_SECRET are used, if set; or, where MESOS_AUTHENTICATE"
              + " is set, DEFAULT_PRINCIPAL and DEFAULT_SECRET.")
  private Path credential;

  @Option(
      names = "--ca-file",
      paramLabel = "FILE",
      description = "Certificates in PEM form to trust besides the system's.")
  private Path authority;

  @Option(
      names = "--insecure",
      description = "Trust any certificate. Whoever is on the way can then read and change all.")
  private boolean insecure;

  @Option(
      names = "--agent-address",
      paramLabel = "NAME=ADDRESS",
      description =
          "Reach the agent that calls itself NAME (host:port) at ADDRESS instead; can be repeated.")
  private Map<String, String> agentAddresses = new LinkedHashMap<>();

  @Option(
      names = "--failover-timeout",
      paramLabel = "SECONDS",
      defaultValue = "604800",
      description = "How long tasks go on without this server. Default: a week.")
  private long failoverTimeout;

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

  @Mixin private HttpOptions http;

  @Option(
      names = "--rehearse",
      hidden = true,
      description = "Play a short session with itself, for the class-data archive.")
  private boolean rehearse;

  private final InputStream in;
  private final OutputStream out;
  private Optional<MasterAddress> address = Optional.empty();
  private Optional<DoorOptions> door = Optional.empty();

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
    if (!driver.equals("http") && !driver.equals("native")) {
      System.err.println("--driver: http or native, not " + driver);
      return CommandLine.ExitCode.USAGE;
    }
    try {
      door = http.door();
      master = Optional.ofNullable(master).or(http::master).orElse(LOCAL);
      address = master.equals(LOCAL) ? Optional.empty() : Optional.of(parsed(master));
      return rehearse
          ? Rehearsal.play(this::serve)
          : serve(in, out, Optional.ofNullable(stateDir).orElseGet(Main::defaultStateDir));
    } catch (UsageException e) {
      System.err.println(e.getMessage());
      return CommandLine.ExitCode.USAGE;
    }
  }

  private static MasterAddress parsed(String master) {
    try {
      return MasterAddress.parse(master);
    } catch (IllegalArgumentException e) {
      throw new UsageException("--master: " + e.getMessage(), e);
    }
  }

  /**
   * Each master has a directory of its own, for a framework's id is worth nothing elsewhere; and so
   * has a server without an Emacs, which finds its documents again whatever Emacs does meanwhile.
   */
  private String directoryName() {
    return address.map(known -> known.toString().replaceAll("[^A-Za-z0-9.-]+", "_")).orElse(LOCAL)
        + (http.isAlone() ? "-http" : "");
  }

  private int serve(InputStream input, OutputStream output, Path base) throws IOException {
    try (StateDirectory state = StateDirectory.open(base.resolve(directoryName()));
        Store store = new Store(state.path().resolve("store.db"))) {
      InitializeResult introduction =
          new InitializeResult(
              new PeerInfo("ob-mesos", Version.number()),
              master,
              state.path().toString(),
              state.slot());
      Optional<Door> opened = listen();
      Function<FrameworkListener, Framework> start =
          listener -> {
            Framework framework =
                framework(store, state, opened.map(to -> to.alongside(listener)).orElse(listener));
            opened.ifPresent(to -> to.open("ob-mesos " + Version.number(), framework, store));
            return framework;
          };
      boolean orderly =
          http.isAlone() ? Alone.serve(start) : RpcServer.serve(input, output, introduction, start);
      opened.ifPresent(Door::close);
      state.ending();
      return orderly ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
    }
  }

  private Optional<Door> listen() throws IOException {
    if (door.isEmpty()) {
      return Optional.empty();
    }
    try {
      Door listening = new Door(door.get());
      System.err.println("ob-mesos: serving " + listening.url());
      return Optional.of(listening);
    } catch (BindException e) {
      throw new UsageException(
          "--http: cannot listen at %s: %s".formatted(door.get().address(), e.getMessage()), e);
    }
  }

  private Framework framework(Store store, StateDirectory state, FrameworkListener listener) {
    return address.isPresent()
        ? remote(address.get(), store, listener)
        : local(store, state.path(), listener);
  }

  private Framework local(Store store, Path state, FrameworkListener listener) {
    Path work = state.resolve("cluster");
    Resources machine = LocalOptions.machine(state);
    Resources capacity =
        new Resources(
            cpus == null ? machine.cpus() : cpus,
            mem == null ? machine.memMiB() : mem,
            machine.diskMiB());
    LocalOptions options = new LocalOptions(work, capacity, LocalOptions.DEFAULT_SANDBOX_AGE);
    return new Framework(
        store,
        new LocalSandboxes(work),
        options(
            Optional.empty(),
            Optional.of(new Bounds(capacity, LocalOptions.PORTS, LocalOptions::never))),
        listener,
        scheduler -> new LocalMesos(scheduler, options));
  }

  private Framework remote(MasterAddress where, Store store, FrameworkListener listener) {
    try {
      Optional<Credentials> ours = credentials();
      if (insecure) {
        listener.warning(
            "Certificates are not looked at (--insecure): whoever is on the way to "
                + master
                + " can read and change all that is sent");
      }
      Web web = Web.of(ours, new Web.Trust(Optional.ofNullable(authority), !insecure));
      return new Framework(
          store,
          new AgentSandboxes(web, agentAddresses),
          options(ours.map(Credentials::principal), Optional.empty()),
          listener,
          scheduler -> driver(scheduler, where, web, ours, why -> listener.cluster(false, why)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private SchedulerDriver driver(
      Scheduler scheduler,
      MasterAddress where,
      Web web,
      Optional<Credentials> ours,
      Consumer<String> trouble) {
    return driver.equals("native")
        ? new NativeMesos(scheduler, master, ours, trouble)
        : HttpMesos.of(scheduler, where, web, trouble);
  }

  private FrameworkOptions options(Optional<String> principal, Optional<Bounds> bounds) {
    return new FrameworkOptions(
        "ob-mesos", Duration.ofSeconds(failoverTimeout), principal, resultLimit, bounds);
  }

  private Optional<Credentials> credentials() throws IOException {
    if (credential != null) {
      String[] words = Files.readString(credential).strip().split("\\s+", 2);
      if (words.length != 2) {
        throw new IOException("--credential: the file wants a principal, a space and a secret");
      }
      return Optional.of(new Credentials(words[0], words[1]));
    }
    return environment("MESOS_PRINCIPAL", "MESOS_SECRET")
        .or(
            () ->
                System.getenv("MESOS_AUTHENTICATE") == null
                    ? Optional.empty()
                    : environment("DEFAULT_PRINCIPAL", "DEFAULT_SECRET"));
  }

  private static Optional<Credentials> environment(String principal, String secret) {
    return Optional.ofNullable(System.getenv(principal))
        .flatMap(
            name ->
                Optional.ofNullable(System.getenv(secret))
                    .map(word -> new Credentials(name, word)));
  }

  private static Path defaultStateDir() {
    return stateHome(System.getenv()).resolve("ob-mesos");
  }

  /** The XDG base directory specification's; Java's own idea of a home ignores the environment. */
  static Path stateHome(Map<String, String> environment) {
    String xdg = environment.getOrDefault("XDG_STATE_HOME", "");
    String home = environment.getOrDefault("HOME", "");
    return xdg.isEmpty()
        ? Path.of(home.isEmpty() ? System.getProperty("user.home") : home, ".local", "state")
        : Path.of(xdg);
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

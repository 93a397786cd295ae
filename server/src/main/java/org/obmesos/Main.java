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
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.mesos.v1.scheduler.Scheduler;
import org.obmesos.api.Messages.InitializeResult;
import org.obmesos.api.Messages.PeerInfo;
import org.obmesos.driver.Credentials;
import org.obmesos.driver.HttpMesos;
import org.obmesos.driver.MasterAddress;
import org.obmesos.driver.MesosHttpClient;
import org.obmesos.driver.NativeMesos;
import org.obmesos.driver.SchedulerDriver;
import org.obmesos.exec.ExecServer;
import org.obmesos.http.HttpFrontend;
import org.obmesos.http.HttpFrontendOptions;
import org.obmesos.local.LocalMesos;
import org.obmesos.local.LocalOptions;
import org.obmesos.local.LocalSandboxes;
import org.obmesos.rpc.RpcServer;
import org.obmesos.sandbox.AgentSandboxes;
import org.obmesos.scheduler.ClusterLimits;
import org.obmesos.scheduler.Framework;
import org.obmesos.scheduler.FrameworkListener;
import org.obmesos.scheduler.FrameworkOptions;
import org.obmesos.scheduler.Retention;
import org.obmesos.store.StateDirectory;
import org.obmesos.store.Store;
import org.obmesos.task.AvailableResources;
import org.obmesos.task.Resources;
import org.obmesos.util.PrivateFiles;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Parses the command line, and creates and connects the parts of the server. */
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
          "Where tasks run: 'local', the embedded one-machine cluster (the default); host:port;"
              + " http(s)://host:port; several of these with commas between; or"
              + " zk://host:2181,host:2181/mesos, or zk://user:password@host:2181/mesos. Without it"
              + " OB_MESOS_MASTER is used, if set: other users cannot read a password there.")
  private String master;

  @Option(
      names = "--driver",
      paramLabel = "DRIVER",
      defaultValue = "http",
      description =
          "The driver: http (the default), or native, which uses the libmesos that"
              + " MESOS_NATIVE_JAVA_LIBRARY names.")
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
      description =
          "Certificates in PEM form to trust besides the system's. With zk://, masters are then"
              + " reached over https.")
  private Path authority;

  @Option(
      names = "--insecure",
      description =
          "Trust any certificate. This allows man-in-the-middle attacks. With zk://, masters are"
              + " then reached over https.")
  private boolean insecure;

  @Option(
      names = "--agent-address",
      paramLabel = "NAME=ADDRESS",
      description =
          "Connect to ADDRESS for the agent that advertises NAME (host:port); can be repeated.")
  private Map<String, String> agentAddresses = new LinkedHashMap<>();

  @Option(
      names = "--failover-timeout",
      paramLabel = "SECONDS",
      defaultValue = "604800",
      description = "Time for which tasks continue without this server. Default: a week.")
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
      description =
          "The largest number of bytes of a task's output in its result. Default: 262144.")
  private int resultLimit;

  @Option(
      names = "--keep-days",
      paramLabel = "N",
      defaultValue = "30",
      description = "Delete ended tasks after so many days. Default: 30.")
  private int keepDays;

  @Option(
      names = "--keep-tasks",
      paramLabel = "N",
      defaultValue = "10000",
      description = "Keep at most so many ended tasks. Default: 10000.")
  private int keepTasks;

  @Option(
      names = "--share-limit",
      paramLabel = "CPUS,MIB",
      defaultValue = "1,512",
      description =
          "The cpus and the memory in MiB of the largest block that shares an executor with others"
              + " on its agent unless it says :executor own; 0,0 for none (default:"
              + " ${DEFAULT-VALUE}).")
  private String shareLimit;

  @Option(
      names = "--pass-env",
      paramLabel = "NAME",
      description =
          "Give tasks of the embedded cluster this environment variable of the server too, besides"
              + " PATH, HOME, USER, LOGNAME, SHELL, LANG, LC_*, TZ and TMPDIR; can be repeated.")
  private Set<String> passedVariables = new LinkedHashSet<>();

  @Mixin private HttpArguments http;

  @Option(
      names = "--cds-training",
      hidden = true,
      description = "Run a short session for the class-data sharing archive.")
  private boolean cdsTraining;

  private final InputStream in;
  private final OutputStream out;
  private Optional<MasterAddress> address = Optional.empty();
  private Optional<HttpFrontendOptions> httpOptions = Optional.empty();

  private Main(InputStream in, OutputStream out) {
    this.in = in;
    this.out = out;
  }

  /** Runs the server. Only JSON-RPC is written to stdout. */
  public static void main(String[] arguments) {
    OutputStream out = new FileOutputStream(FileDescriptor.out);
    System.setOut(System.err);
    // The bindings' generated code is older than the runtime, which warns of it for each type.
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
    warnOfEncoding();
    if (!driver.equals("http") && !driver.equals("native")) {
      System.err.println("--driver: http or native, not " + driver);
      return CommandLine.ExitCode.USAGE;
    }
    try {
      master =
          Optional.ofNullable(master)
              .or(http::master)
              .or(() -> Optional.ofNullable(System.getenv("OB_MESOS_MASTER")))
              .filter(text -> !text.isBlank())
              .orElse(LOCAL);
      address = master.equals(LOCAL) ? Optional.empty() : Optional.of(parsed(master));
      Path base = Optional.ofNullable(stateDir).orElseGet(Main::defaultStateDir);
      agentAddresses.forEach(Main::checkAgentAddress);
      httpOptions = http.options(base);
      return cdsTraining ? CdsTrainingRun.run(this::serve) : serve(in, out, base);
    } catch (UsageException e) {
      System.err.println(e.getMessage());
      return CommandLine.ExitCode.USAGE;
    }
  }

  /** The JVM takes the encoding of file names and arguments from the locale and no option. */
  private static void warnOfEncoding() {
    String encoding = System.getProperty("sun.jnu.encoding", "");
    if (!encoding.equalsIgnoreCase("UTF-8")) {
      System.err.println(
          "ob-mesos: file names are read as "
              + encoding
              + "; set LC_ALL=C.UTF-8 or another UTF-8 locale");
    }
  }

  private static void checkAgentAddress(String name, String address) {
    try {
      AgentSandboxes.checkAddress(name, address);
    } catch (IllegalArgumentException e) {
      throw new UsageException("--agent-address: " + e.getMessage(), e);
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
   * Each master has a directory of its own, because a framework id is valid only there. So has a
   * headless server, which finds its documents again whatever slots the servers of Emacs use.
   */
  private String directoryName() {
    return address.map(known -> known.toString().replaceAll("[^A-Za-z0-9.-]+", "_")).orElse(LOCAL)
        + (http.isHeadless() ? "-http" : "");
  }

  private StateDirectory openState(Path base) {
    try {
      return StateDirectory.open(base.resolve(directoryName()));
    } catch (FileSystemException e) {
      // The class of some, such as AccessDeniedException, is the reason; their message is the file.
      throw new UsageException("--state-dir: %s cannot be used: %s".formatted(base, e), e);
    } catch (IOException e) {
      throw new UsageException(
          "--state-dir: %s cannot be used: %s".formatted(base, e.getMessage()), e);
    }
  }

  private int serve(InputStream input, OutputStream output, Path base) throws IOException {
    try (StateDirectory state = openState(base);
        Store store = openStore(state)) {
      InitializeResult introduction =
          new InitializeResult(
              new PeerInfo("ob-mesos", Version.number()),
              masterWithoutLogin(),
              state.path().toString(),
              state.slot());
      Optional<HttpFrontend> frontend = listen();
      List<ExecServer> exec = new ArrayList<>();
      Function<FrameworkListener, Framework> start =
          listener -> {
            Framework framework =
                framework(
                    store, state, frontend.map(it -> it.alongside(listener)).orElse(listener));
            frontend.ifPresent(it -> it.open("ob-mesos " + Version.number(), framework, store));
            exec.add(listenForCommands(state, framework));
            return framework;
          };
      boolean orderly = true;
      if (http.isHeadless()) {
        HeadlessServer.serve(start, Main::terminate);
      } else {
        orderly = RpcServer.serve(input, output, introduction, start, Main::terminate);
      }
      frontend.ifPresent(HttpFrontend::close);
      exec.forEach(ExecServer::close);
      state.markEnding();
      return orderly ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
    }
  }

  /**
   * Opens the store. The SQLite driver unpacks its library into a file of its own for each process,
   * and cannot delete it if the process is killed; the next server here does.
   */
  private static Store openStore(StateDirectory state) throws IOException {
    Path libraries = state.path().resolve("lib");
    PrivateFiles.deleteRecursively(libraries);
    PrivateFiles.createDirectories(libraries);
    System.setProperty("org.sqlite.tmpdir", libraries.toString());
    return new Store(state.path().resolve("store.db"));
  }

  /** The store cannot be written, so nothing can be done in order. */
  private static void terminate() {
    Runtime.getRuntime().halt(CommandLine.ExitCode.SOFTWARE);
  }

  private Optional<HttpFrontend> listen() throws IOException {
    if (httpOptions.isEmpty()) {
      return Optional.empty();
    }
    try {
      HttpFrontend listening = new HttpFrontend(httpOptions.get());
      System.err.println("ob-mesos: serving " + listening.url());
      return Optional.of(listening);
    } catch (BindException e) {
      throw new UsageException(
          "--http: cannot listen at %s: %s".formatted(httpOptions.get().address(), e.getMessage()),
          e);
    }
  }

  private static ExecServer listenForCommands(StateDirectory state, Framework framework) {
    try {
      return new ExecServer(state.path(), framework::exec);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
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
    LocalOptions options =
        new LocalOptions(work, capacity, LocalOptions.DEFAULT_SANDBOX_AGE, passedVariables);
    return new Framework(
        store,
        new LocalSandboxes(work),
        options(
            Optional.empty(),
            Optional.of(
                new ClusterLimits(
                    new AvailableResources(capacity, LocalOptions.PORTS),
                    LocalOptions::rejectionReason))),
        listener,
        scheduler -> new LocalMesos(scheduler, options));
  }

  /** Returns the master's address without the login of zk://USER:PASSWORD@HOST. */
  private String masterWithoutLogin() {
    return master.replaceFirst("^zk://[^/]*@", "zk://");
  }

  private Framework remote(MasterAddress where, Store store, FrameworkListener listener) {
    try {
      Optional<Credentials> ours = credentials();
      if (insecure) {
        listener.warning(
            "Certificates are not verified (--insecure): the connection to "
                + masterWithoutLogin()
                + " is open to man-in-the-middle attacks");
      }
      MesosHttpClient client =
          MesosHttpClient.of(
              ours, new MesosHttpClient.Trust(Optional.ofNullable(authority), !insecure));
      return new Framework(
          store,
          new AgentSandboxes(client, agentAddresses),
          options(ours.map(Credentials::principal), Optional.empty()),
          listener,
          scheduler -> driver(scheduler, where, client, ours, why -> listener.cluster(false, why)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private SchedulerDriver driver(
      Scheduler scheduler,
      MasterAddress where,
      MesosHttpClient client,
      Optional<Credentials> ours,
      Consumer<String> trouble) {
    return driver.equals("native")
        ? new NativeMesos(scheduler, master, ours, trouble)
        : HttpMesos.of(scheduler, where, client, trouble);
  }

  private FrameworkOptions options(Optional<String> principal, Optional<ClusterLimits> limits) {
    return new FrameworkOptions(
        "ob-mesos",
        Duration.ofSeconds(failoverTimeout),
        principal,
        resultLimit,
        limits,
        retention(),
        shareLimit(),
        FrameworkOptions.STORE_FAILURE_LIMIT,
        FrameworkOptions.AGENT_REREGISTRATION);
  }

  private Resources shareLimit() {
    Matcher words = Pattern.compile("(\\d{1,6}(?:\\.\\d{1,3})?),(\\d{1,9})").matcher(shareLimit);
    if (!words.matches()) {
      throw new UsageException("--share-limit is CPUS,MIB, such as 1,512; not " + shareLimit, null);
    }
    return new Resources(
        Double.parseDouble(words.group(1)),
        Double.parseDouble(words.group(2)),
        FrameworkOptions.SHARE_LIMIT.diskMiB());
  }

  private Retention retention() {
    try {
      return new Retention(Duration.ofDays(keepDays), keepTasks);
    } catch (IllegalArgumentException e) {
      throw new UsageException("--keep-days and --keep-tasks must be above 0", e);
    }
  }

  private Optional<Credentials> credentials() throws IOException {
    if (credential != null) {
      String[] words = Files.readString(credential).strip().split("\\s+", 2);
      if (words.length != 2) {
        throw new IOException(
            "--credential: the file must contain a principal, a space and a secret");
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

  /** Returns $XDG_STATE_HOME or its default; Java's user.home ignores $HOME. */
  static Path stateHome(Map<String, String> environment) {
    String xdg = environment.getOrDefault("XDG_STATE_HOME", "");
    String home = environment.getOrDefault("HOME", "");
    return xdg.isEmpty()
        ? Path.of(home.isEmpty() ? System.getProperty("user.home") : home, ".local", "state")
        : Path.of(xdg);
  }

  /** Reads the version from the jar. */
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

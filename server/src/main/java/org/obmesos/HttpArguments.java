// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import org.obmesos.document.OrgDocument;
import org.obmesos.http.HttpFrontendOptions;
import org.obmesos.util.PrivateFiles;
import picocli.CommandLine.Option;

/** The command line arguments about HTTP. */
final class HttpArguments {
  private static final String DEFAULT_PORT = "8888";
  private static final String HEADER = "Authorization: Bearer ";
  private static final int TOKEN_BYTES = 24;

  @Option(
      names = "--http",
      paramLabel = "HOST:PORT",
      description =
          "Run documents posted to this address. The host is 127.0.0.1 if only a port is"
              + " given.")
  private String address;

  @Option(
      names = {"-f", "--config"},
      paramLabel = "FILE.org",
      description =
          "Read #+mesos_master:, #+borges_bind: and #+borges_port: of this file; command line"
              + " arguments take precedence.")
  private Path config;

  @Option(
      names = "--http-token-file",
      paramLabel = "FILE",
      description =
          "The file with the token that requests must have, readable only by its owner. By default"
              + " OB_MESOS_HTTP_TOKEN, if it is set, or else the file http-authorization in the"
              + " state directory, which is created with a new token.")
  private Path tokenFile;

  @Option(
      names = "--no-token",
      description =
          "Require no token: every user of this machine can run commands as you. Only for an address"
              + " of the loopback interface.")
  private boolean noToken;

  @Option(
      names = {"--headless", "--alone"},
      description = "Serve only HTTP, until a signal ends the server. Tasks continue.")
  private boolean headless;

  /** Returns whether there is no client on stdin. */
  boolean isHeadless() {
    return headless;
  }

  private Optional<String> setting(String keyword) {
    if (config == null) {
      return Optional.empty();
    }
    try {
      return OrgDocument.read(Files.readString(config)).keyword(keyword);
    } catch (IOException e) {
      throw new UsageException("--config: cannot read " + config, e);
    }
  }

  /** Returns the master that the file of settings names. */
  Optional<String> master() {
    return setting("mesos_master");
  }

  /**
   * Returns the settings of the HTTP server; empty if there is to be none.
   *
   * @param stateDir the directory of the token
   * @throws UsageException if they are not valid
   */
  Optional<HttpFrontendOptions> options(Path stateDir) {
    if (address == null && config == null) {
      if (headless) {
        throw new UsageException("--http HOST:PORT or --config FILE is missing", null);
      }
      return Optional.empty();
    }
    String where =
        address != null
            ? address
            : setting("borges_bind").orElse("127.0.0.1")
                + ":"
                + setting("borges_port").orElse(DEFAULT_PORT);
    try {
      InetSocketAddress parsed = HttpFrontendOptions.parseAddress(where);
      return Optional.of(
          new HttpFrontendOptions(
              parsed, noToken ? Optional.empty() : Optional.of(token(stateDir))));
    } catch (IllegalArgumentException e) {
      throw new UsageException("--http: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new UsageException("the token cannot be read: " + e.getMessage(), e);
    }
  }

  private String token(Path stateDir) throws IOException {
    if (tokenFile != null) {
      return read(tokenFile);
    }
    String variable = System.getenv("OB_MESOS_HTTP_TOKEN");
    if (variable != null && !variable.isEmpty()) {
      return variable;
    }
    Path file = stateDir.resolve("http-authorization");
    if (!Files.exists(file)) {
      create(file);
    }
    System.err.println("ob-mesos: requests need the token in " + file + ":");
    System.err.println("ob-mesos:   curl -H @" + file + " ...");
    return read(file);
  }

  /** Creates a file with a new token. It is a header, so that `curl -H @FILE' sends it. */
  private static void create(Path file) throws IOException {
    byte[] random = new byte[TOKEN_BYTES];
    new SecureRandom().nextBytes(random);
    PrivateFiles.createDirectories(file.toAbsolutePath().getParent());
    PrivateFiles.createFile(file);
    Files.writeString(
        file, HEADER + HexFormat.of().formatHex(random) + "\n", StandardCharsets.US_ASCII);
  }

  private static String read(Path file) throws IOException {
    Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
    if (permissions.contains(PosixFilePermission.GROUP_READ)
        || permissions.contains(PosixFilePermission.OTHERS_READ)) {
      throw new UsageException("others can read " + file + ": chmod 600 " + file, null);
    }
    String text = Files.readString(file).strip();
    return text.startsWith(HEADER) ? text.substring(HEADER.length()).strip() : text;
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Optional;
import java.util.Set;
import org.obmesos.document.OrgDocument;
import org.obmesos.http.DoorOptions;
import picocli.CommandLine.Option;

/** What is said of HTTP on the command line, or in a file of settings. */
final class HttpOptions {
  private static final String PORT = "8888";

  @Option(
      names = "--http",
      paramLabel = "HOST:PORT",
      description =
          "Serve HTTP there too: documents that are posted are run. 127.0.0.1 if only a port is"
              + " given. Others than this machine need a token.")
  private String address;

  @Option(
      names = {"-f", "--config"},
      paramLabel = "FILE.org",
      description =
          "Take what is not said here from #+mesos_master:, #+borges_bind: and #+borges_port: of"
              + " this file.")
  private Path config;

  @Option(
      names = "--http-token-file",
      paramLabel = "FILE",
      description =
          "A file with the token that every request has to show, readable by nobody else. Without"
              + " it OB_MESOS_HTTP_TOKEN is used, if set.")
  private Path tokenFile;

  @Option(
      names = "--alone",
      description = "Speak with no Emacs: serve HTTP until a signal ends it. Tasks go on.")
  private boolean alone;

  /** Whether there is no client on stdin. */
  boolean isAlone() {
    return alone;
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

  /** The master that the file of settings names. */
  Optional<String> master() {
    return setting("mesos_master");
  }

  /**
   * What was asked for.
   *
   * @return empty if nothing was
   * @throws UsageException if it cannot be
   */
  Optional<DoorOptions> door() {
    if (address == null && config == null) {
      if (alone) {
        throw new UsageException("where to serve? --http HOST:PORT or --config FILE", null);
      }
      return Optional.empty();
    }
    String where =
        address != null
            ? address
            : setting("borges_bind").orElse("127.0.0.1")
                + ":"
                + setting("borges_port").orElse(PORT);
    Optional<String> token = token();
    try {
      return Optional.of(DoorOptions.of(where, token));
    } catch (IllegalArgumentException e) {
      throw new UsageException("--http: " + e.getMessage(), e);
    }
  }

  private Optional<String> token() {
    if (tokenFile == null) {
      return Optional.ofNullable(System.getenv("OB_MESOS_HTTP_TOKEN"))
          .filter(word -> !word.isEmpty());
    }
    try {
      Set<PosixFilePermission> allowed = Files.getPosixFilePermissions(tokenFile);
      if (allowed.contains(PosixFilePermission.GROUP_READ)
          || allowed.contains(PosixFilePermission.OTHERS_READ)) {
        throw new UsageException("others can read " + tokenFile + ": chmod 600 " + tokenFile, null);
      }
      return Optional.of(Files.readString(tokenFile).strip());
    } catch (IOException e) {
      throw new UsageException("cannot read " + tokenFile, e);
    }
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.obmesos.task.Uri;
import org.obmesos.util.Digests;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Computes the digests of the files that URIs name, for files on this machine. */
public final class UriDigests {
  private static final Logger log = LoggerFactory.getLogger(UriDigests.class);

  private UriDigests() {}

  private static Optional<Path> file(Uri uri) {
    try {
      Path path =
          uri.value().startsWith("file:") ? Path.of(URI.create(uri.value())) : Path.of(uri.value());
      return Optional.of(path).filter(Path::isAbsolute).filter(Files::isRegularFile);
    } catch (InvalidPathException e) {
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      // file://HOST/PATH is on another machine.
      return Optional.empty();
    }
  }

  /** Returns whether a file of the URIs is on this machine. */
  public static boolean areAnyHere(List<Uri> uris) {
    return uris.stream().anyMatch(uri -> file(uri).isPresent());
  }

  /** Returns the digests of the files on this machine, by their URIs. Reads them. */
  public static Map<String, String> of(List<Uri> uris) {
    Map<String, String> digests = new HashMap<>();
    for (Uri uri : uris) {
      file(uri)
          .ifPresent(
              path -> {
                try (InputStream stream = Files.newInputStream(path)) {
                  digests.put(uri.value(), Digests.of(stream));
                } catch (IOException e) {
                  log.info("{} cannot be read: {}", path, e.toString());
                }
              });
    }
    return digests;
  }
}

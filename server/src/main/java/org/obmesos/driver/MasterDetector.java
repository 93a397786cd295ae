// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.net.URI;
import java.util.Optional;
import java.util.function.Consumer;

/** Finds the leading master. */
public interface MasterDetector extends AutoCloseable {
  /**
   * Starts the detection.
   *
   * @param leader is told, on any thread, of each change of the leading master; empty while there
   *     is none
   * @param trouble is told, on any thread, why there is none, as a sentence
   */
  void start(Consumer<Optional<URI>> leader, Consumer<String> trouble);

  /** A master could not be used. The detector may report another. */
  void failed(URI master);

  /** A master has redirected to another, which the detector then reports. */
  void redirected(URI leader);

  @Override
  void close();
}

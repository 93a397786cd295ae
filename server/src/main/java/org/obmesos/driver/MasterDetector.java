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
   * @param leader is called, on any thread, at each change of the leading master; empty while there
   *     is none
   * @param trouble is called, on any thread, with a sentence that says why there is none
   */
  void start(Consumer<Optional<URI>> leader, Consumer<String> trouble);

  /** A master could not be used. The detector may report another. */
  void failed(URI master);

  /** A master has redirected to another, which the detector then reports. */
  void redirected(URI leader);

  @Override
  void close();
}

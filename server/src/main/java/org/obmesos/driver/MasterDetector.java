// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.net.URI;
import java.util.Optional;
import java.util.function.Consumer;

/** Finds the master that leads. */
public interface MasterDetector extends AutoCloseable {
  /**
   * Begins to look.
   *
   * @param leader is told, on any thread, where the leader is, each time that changes; empty while
   *     there is none
   * @param trouble is told, on any thread, in a sentence why nothing can be found
   */
  void start(Consumer<Optional<URI>> leader, Consumer<String> trouble);

  /** Hears that a master could not be used. Another may be told of then. */
  void failed(URI master);

  /** Hears that a master has named another as the leader, which is told of then. */
  void redirected(URI leader);

  @Override
  void close();
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Tries the given masters in turn and follows their redirects. */
final class StandaloneMasterDetector implements MasterDetector {
  private final List<URI> masters;
  private Consumer<Optional<URI>> leader = unused -> {};
  private int next;

  StandaloneMasterDetector(List<URI> masters) {
    this.masters = masters;
  }

  @Override
  public synchronized void start(Consumer<Optional<URI>> onLeader, Consumer<String> trouble) {
    leader = onLeader;
    leader.accept(Optional.of(masters.get(0)));
  }

  @Override
  public synchronized void failed(URI master) {
    if (masters.get(next).equals(master) || !masters.contains(master)) {
      next = (next + 1) % masters.size();
    }
    leader.accept(Optional.of(masters.get(next)));
  }

  @Override
  public synchronized void redirected(URI to) {
    leader.accept(Optional.of(to));
  }

  @Override
  public void close() {}
}

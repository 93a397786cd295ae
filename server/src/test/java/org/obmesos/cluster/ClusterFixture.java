// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;

/** What stands behind a {@link TestMaster}. */
interface ClusterFixture {
  /** Where its sandboxes are, as those of the embedded cluster. */
  Path directory();

  /** Who hears its events from now on. */
  void subscriber(Consumer<Event> next);

  CompletableFuture<Void> call(Call call);
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.util.concurrent.CompletableFuture;

/** An operation that a client waits for. */
abstract class Request implements TransactionQueue.Operation {
  private final CompletableFuture<Void> done = new CompletableFuture<>();

  /** Completes once the operation is committed and applied, or fails with it. */
  final CompletableFuture<Void> done() {
    return done;
  }

  @Override
  public void committed() {
    done.complete(null);
  }

  @Override
  public void failed(RuntimeException cause) {
    done.completeExceptionally(cause);
  }
}

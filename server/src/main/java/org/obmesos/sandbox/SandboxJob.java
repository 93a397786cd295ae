// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;

/** An operation that reads files of a sandbox. */
public interface SandboxJob<T> {
  /** Reads it, on a thread that may wait. */
  T run(Sandbox sandbox) throws IOException;
}

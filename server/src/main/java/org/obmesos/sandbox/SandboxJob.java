// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.io.IOException;

/** Something to do with the files of a task. */
public interface SandboxJob<T> {
  /** Does it, on a thread on which it may wait. */
  T run(Sandbox sandbox) throws IOException;
}

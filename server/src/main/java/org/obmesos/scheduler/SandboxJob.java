// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.scheduler;

import java.io.IOException;
import org.obmesos.sandbox.Sandbox;

/** Something to do with the files of a task. */
public interface SandboxJob<T> {
  /** Does it, on the sandboxes' thread. */
  T run(Sandbox sandbox) throws IOException;
}

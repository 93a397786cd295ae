// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import java.util.List;

/** That of a task that was not launched: there is nothing in it. */
enum NoSandbox implements Sandbox {
  NONE;

  @Override
  public long size(String path) {
    return 0;
  }

  @Override
  public byte[] read(String path, long offset, int length) {
    return new byte[0];
  }

  @Override
  public List<Entry> list(String path) {
    return List.of();
  }

  @Override
  public String location() {
    return "";
  }
}

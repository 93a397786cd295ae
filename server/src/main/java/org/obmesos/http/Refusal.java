// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import java.util.Map;

/** A request that is not granted: a status of HTTP, and why, for a person. */
final class Refusal extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final int status;
  private final transient Map<String, String> headers;

  Refusal(int status, String why) {
    this(status, why, Map.of());
  }

  Refusal(int status, String why, Map<String, String> headers) {
    super(why, null, false, false);
    this.status = status;
    this.headers = headers;
  }

  static Refusal unknown(String what) {
    return new Refusal(404, "There is no " + what);
  }

  Reply reply() {
    return Reply.text(status, getMessage() + "\n").with(headers);
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import java.util.Map;

/** An answer that is an error: an HTTP status, and a sentence for the user. */
final class HttpException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final int status;
  private final transient Map<String, String> headers;

  HttpException(int status, String message) {
    this(status, message, Map.of());
  }

  HttpException(int status, String message, Map<String, String> headers) {
    super(message, null, false, false);
    this.status = status;
    this.headers = headers;
  }

  static HttpException notFound(String what) {
    return new HttpException(404, "There is no " + what);
  }

  Reply reply() {
    return Reply.text(status, getMessage() + "\n").with(headers);
  }
}

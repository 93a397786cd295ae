// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.http;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.util.HashMap;
import java.util.Map;

/** The answer to a request. */
record Reply(int status, String type, String body, Map<String, String> headers) {
  static final String TEXT = "text/plain; charset=utf-8";
  static final String HTML = "text/html; charset=utf-8";
  private static final Gson JSON = new GsonBuilder().disableHtmlEscaping().create();

  static String json(Object value) {
    return JSON.toJson(value);
  }

  static Reply of(int status, String type, String text) {
    return new Reply(status, type, text, Map.of());
  }

  static Reply text(int status, String text) {
    return of(status, TEXT, text);
  }

  static Reply ofJson(Object value) {
    return of(200, "application/json", json(value) + "\n");
  }

  Reply with(Map<String, String> more) {
    Map<String, String> all = new HashMap<>(headers);
    all.putAll(more);
    return new Reply(status, type, body, all);
  }
}

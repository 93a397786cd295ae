// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/** Interprets the HTTP answers of a master (Mesos' docs/scheduler-http-api.md). */
final class MasterResponses {
  private static final int MAX_MESSAGE = 300;

  private MasterResponses() {}

  static HttpResponse.BodySubscriber<String> text() {
    return HttpResponse.BodySubscribers.ofString(StandardCharsets.UTF_8);
  }

  /** Returns whether the master is busy and has done nothing. */
  static boolean isBusy(int status) {
    return status == 429 || status == 503;
  }

  /** Returns whether the master does not know the subscription, any more or yet. */
  static boolean isSubscriptionGone(HttpResponse<String> response) {
    String message = response.body().toLowerCase(Locale.ROOT);
    return response.statusCode() == 403
        || response.statusCode() == 404
        || (response.statusCode() == 400
            && (message.contains("stream") || message.contains("framework cannot be found")));
  }

  /** Returns the master a redirection names; its Location can lack a scheme. */
  static Optional<URI> redirect(URI from, HttpResponse<String> response) {
    if (response.statusCode() != 307) {
      return Optional.empty();
    }
    return response
        .headers()
        .firstValue("Location")
        .map(from::resolve)
        .filter(to -> to.getRawAuthority() != null)
        .map(to -> URI.create(to.getScheme() + "://" + to.getAuthority()));
  }

  /**
   * Returns whether the master, or a proxy before it, has failed at a call: nobody knows whether
   * the call was handled.
   */
  static boolean isUncertain(int status) {
    return status >= 500 && !isBusy(status);
  }

  /** Describes why a master has not accepted a call, with its own message if there is one. */
  static String refusal(HttpResponse<String> response) {
    int status = response.statusCode();
    String message = response.body().strip();
    if (message.length() > MAX_MESSAGE) {
      message = message.substring(0, MAX_MESSAGE) + "...";
    }
    return switch (status) {
      case 200 -> "it answers, but is not a Mesos master";
      case 307 -> "it redirects to another master, and that one to yet another";
      case 401 -> "it requires a principal and a secret, and does not accept these (401)";
      case 404 ->
          "it is not a Mesos master of version 1.0 or newer, or has just been started (404)";
      case 429, 503 -> "it cannot answer now (" + status + ")" + message(message);
      default ->
          status >= 400 && status < 600 && message.startsWith("<")
              ? "it answers, but is not a Mesos master (" + status + ")"
              : "it answers " + status + message(message);
    };
  }

  private static String message(String message) {
    return message.isEmpty() ? "" : ": " + message;
  }
}

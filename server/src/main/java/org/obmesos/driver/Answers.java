// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/** What a master's HTTP statuses mean (Mesos' docs/scheduler-http-api.md). */
final class Answers {
  private static final int WORDS = 300;

  private Answers() {}

  static HttpResponse.BodySubscriber<String> text() {
    return HttpResponse.BodySubscribers.ofString(StandardCharsets.UTF_8);
  }

  /** It cannot answer now, and has done nothing. */
  static boolean isBusy(int status) {
    return status == 429 || status == 503;
  }

  /** The master no longer, or not yet, knows of our subscription. */
  static boolean isSubscriptionGone(HttpResponse<String> response) {
    String words = response.body().toLowerCase(Locale.ROOT);
    return response.statusCode() == 403
        || response.statusCode() == 404
        || (response.statusCode() == 400
            && (words.contains("stream") || words.contains("framework cannot be found")));
  }

  /** The master named in a redirection, whose location can lack a scheme. */
  static Optional<URI> redirect(URI from, HttpResponse<String> response) {
    if (response.statusCode() != 307) {
      return Optional.empty();
    }
    return response
        .headers()
        .firstValue("Location")
        .map(from::resolve)
        .filter(to -> to.getHost() != null)
        .map(to -> URI.create(to.getScheme() + "://" + to.getAuthority()));
  }

  /** Why a master has not taken a call, in its own words where it has some. */
  static String refusal(HttpResponse<String> response) {
    int status = response.statusCode();
    String words = response.body().strip();
    if (words.length() > WORDS) {
      words = words.substring(0, WORDS) + "...";
    }
    return switch (status) {
      case 200 -> "it answers, but is no Mesos master";
      case 307 -> "it says that another master leads, and that one says so of yet another";
      case 401 -> "it wants a principal and a secret, and does not take these (401)";
      case 404 -> "it is no Mesos master of version 1.0 or newer, or has just been started (404)";
      case 429, 503 -> "it cannot answer now (" + status + ")" + words(words);
      default ->
          status >= 400 && status < 600 && words.startsWith("<")
              ? "it answers, but is no Mesos master (" + status + ")"
              : "it answers " + status + words(words);
    };
  }

  private static String words(String words) {
    return words.isEmpty() ? "" : ": " + words;
  }
}

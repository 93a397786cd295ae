// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * How masters and agents are spoken to: HTTP/1.1 without following redirects, with credentials and
 * trust where they are given.
 */
public final class Web {
  /** What masters and agents are sent and asked for: protobuf. */
  public static final String PROTOBUF = "application/x-protobuf";

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(4);

  private final HttpClient client;
  private final Optional<Credentials> credentials;

  private Web(HttpClient client, Optional<Credentials> credentials) {
    this.client = client;
    this.credentials = credentials;
  }

  /**
   * Whom to trust.
   *
   * @param authority a file of certificates in PEM form to trust besides the system's
   * @param verify false to trust whoever answers, which anyone on the way can abuse
   */
  public record Trust(Optional<Path> authority, boolean verify) {
    /** The system's trust store and nothing else. */
    public static final Trust SYSTEM = new Trust(Optional.empty(), true);
  }

  /**
   * Makes a client.
   *
   * @throws IOException if the authority's file cannot be used, with a sentence for the user
   */
  public static Web of(Optional<Credentials> credentials, Trust trust) throws IOException {
    // The default would send "Upgrade: h2c"; and after a redirect the client followed by itself
    // the timeout of the request would end a body that streams.
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT_TIMEOUT);
    if (!trust.equals(Trust.SYSTEM)) {
      builder.sslContext(context(trust));
    }
    return new Web(builder.build(), credentials);
  }

  HttpClient client() {
    return client;
  }

  Optional<Credentials> credentials() {
    return credentials;
  }

  /** A request with credentials, if there are some, for protobuf. */
  public HttpRequest.Builder request(URI uri) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri).header("Accept", PROTOBUF).header("User-Agent", "ob-mesos");
    credentials.ifPresent(ours -> request.header("Authorization", ours.header()));
    return request;
  }

  /** The client itself, for requests made by {@link #request}. */
  public HttpClient http() {
    return client;
  }

  private static SSLContext context(Trust trust) throws IOException {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      TrustManager[] managers =
          trust.verify()
              ? managers(trust.authority().orElseThrow())
              : new TrustManager[] {new Anyone()};
      context.init(null, managers, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IOException("The certificates cannot be used: " + e.getMessage(), e);
    }
  }

  private static TrustManager[] managers(Path authority)
      throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream file = Files.newInputStream(authority)) {
      int number = 0;
      for (Certificate certificate :
          CertificateFactory.getInstance("X.509").generateCertificates(file)) {
        store.setCertificateEntry("given-" + number++, certificate);
      }
    }
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init((KeyStore) null);
    for (TrustManager system : factory.getTrustManagers()) {
      if (system instanceof javax.net.ssl.X509TrustManager manager) {
        int number = 0;
        for (X509Certificate certificate : manager.getAcceptedIssuers()) {
          store.setCertificateEntry("system-" + number++, certificate);
        }
      }
    }
    factory.init(store);
    return factory.getTrustManagers();
  }

  /** Trusts anyone, whatever name they bear: only where the user has said so. */
  private static final class Anyone extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }

  /** Why a request has failed, in a clause that follows the name of the place. */
  public static String explain(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    for (Throwable at = cause; at != null; at = at.getCause()) {
      if (at instanceof UnresolvedAddressException || at instanceof java.net.UnknownHostException) {
        return "this host is not known";
      }
      if (at instanceof SSLException) {
        return "its certificate is not trusted, or it does not speak TLS: " + at.getMessage();
      }
    }
    if (cause instanceof HttpTimeoutException) {
      return "it does not answer in time";
    }
    if (cause instanceof ConnectException) {
      return "nobody listens there";
    }
    String message = cause.getMessage();
    return message == null ? cause.getClass().getSimpleName() : message;
  }
}

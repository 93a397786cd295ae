// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
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
 * An HTTP client for masters and agents: HTTP/1.1, no redirects followed, with optional credentials
 * and certificate authorities.
 */
public final class MesosHttpClient {
  /** The content type of requests and answers. */
  public static final String PROTOBUF = "application/x-protobuf";

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(4);

  private final HttpClient client;
  private final Optional<Credentials> credentials;
  private final boolean tlsConfigured;

  private MesosHttpClient(
      HttpClient client, Optional<Credentials> credentials, boolean tlsConfigured) {
    this.client = client;
    this.credentials = credentials;
    this.tlsConfigured = tlsConfigured;
  }

  /**
   * Which certificates to trust.
   *
   * @param authority a file of certificates in PEM form to trust besides the system's
   * @param verify false to trust any certificate, which allows man-in-the-middle attacks
   */
  public record Trust(Optional<Path> authority, boolean verify) {
    /** Only the system's trust store. */
    public static final Trust SYSTEM = new Trust(Optional.empty(), true);
  }

  /**
   * Creates a client.
   *
   * @throws IOException if the file cannot be read, with a sentence for the user
   */
  public static MesosHttpClient of(Optional<Credentials> credentials, Trust trust)
      throws IOException {
    // The default sends "Upgrade: h2c". If the client follows a redirect, the timeout of the
    // request also ends a streaming body.
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT_TIMEOUT);
    if (!trust.equals(Trust.SYSTEM)) {
      builder.sslContext(context(trust));
    }
    return new MesosHttpClient(builder.build(), credentials, !trust.equals(Trust.SYSTEM));
  }

  /** Returns whether other certificates than the system's are trusted. */
  public boolean isTlsConfigured() {
    return tlsConfigured;
  }

  /** Returns the client, for requests made by {@link #request}. */
  public HttpClient client() {
    return client;
  }

  /**
   * Returns an address whose host {@link HttpClient} accepts. A host name that is not valid in a
   * URI, such as one with an underscore, is resolved and replaced by its IP address.
   *
   * @throws UnknownHostException if it cannot be resolved
   */
  public static URI connectable(URI address) throws UnknownHostException {
    if (address.getHost() != null || address.getRawAuthority() == null) {
      return address;
    }
    String authority = address.getRawAuthority();
    int colon = authority.lastIndexOf(':');
    String host = colon < 0 ? authority : authority.substring(0, colon);
    String ip = InetAddress.getByName(host).getHostAddress();
    return URI.create(
        address.getScheme()
            + "://"
            + (ip.contains(":") ? "[" + ip + "]" : ip)
            + (colon < 0 ? "" : authority.substring(colon))
            + address.getRawPath());
  }

  /** Starts a request that accepts protobuf, with credentials if there are any. */
  public HttpRequest.Builder request(URI uri) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri).header("Accept", PROTOBUF).header("User-Agent", "ob-mesos");
    credentials.ifPresent(ours -> request.header("Authorization", ours.header()));
    return request;
  }

  private static SSLContext context(Trust trust) throws IOException {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      TrustManager[] managers =
          trust.verify()
              ? managers(trust.authority().orElseThrow())
              : new TrustManager[] {new TrustAll()};
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

  /** Trusts any certificate for any name (--insecure). */
  private static final class TrustAll extends X509ExtendedTrustManager {
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

  /** Describes why a request has failed, as a clause that follows the address. */
  public static String explain(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    for (Throwable at = cause; at != null; at = at.getCause()) {
      if (at instanceof UnresolvedAddressException || at instanceof UnknownHostException) {
        return "unknown host";
      }
      if (at instanceof SSLException) {
        return "its certificate is not trusted, or it does not speak TLS: " + at.getMessage();
      }
    }
    if (cause instanceof HttpTimeoutException) {
      return "it does not answer in time";
    }
    if (cause instanceof ConnectException) {
      return "connection refused";
    }
    String message = cause.getMessage();
    return message == null ? cause.getClass().getSimpleName() : message;
  }
}

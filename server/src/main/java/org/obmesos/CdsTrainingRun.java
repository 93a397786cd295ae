// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.obmesos.driver.MesosHttpClient;

/**
 * A short session without a client. It loads the classes that the class-data sharing archive is to
 * contain (Java's -XX:ArchiveClassesAtExit).
 */
final class CdsTrainingRun {
  private static final int MAX_SECONDS = 20;

  private CdsTrainingRun() {}

  /** Serves a client, with a state directory. */
  interface Server {
    int serve(InputStream in, OutputStream out, Path stateDir) throws IOException;
  }

  static int run(Server server) throws IOException {
    Path directory = Files.createTempDirectory("ob-mesos");
    String block = "{\"blocks\":[{\"id\":\"training\",\"body\":\"echo\"}]}";
    String session =
        frame("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{}}")
            + frame("{\"jsonrpc\":\"2.0\",\"method\":\"initialized\",\"params\":{}}")
            + frame(
                "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"task/submit\",\"params\":"
                    + block
                    + "}");
    CapturedOutput output = new CapturedOutput();
    InputStream script =
        new SequenceInputStream(
            new ByteArrayInputStream(session.getBytes(StandardCharsets.UTF_8)),
            output.awaitedInput());
    int status = server.serve(script, output, directory);
    loadDriver();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
    return status;
  }

  /** Loads what talks with a master: nobody listens on that port. */
  private static void loadDriver() throws IOException {
    MesosHttpClient http = MesosHttpClient.of(Optional.empty(), MesosHttpClient.Trust.SYSTEM);
    Call call = Call.newBuilder().setType(Call.Type.SUBSCRIBE).build();
    var unused =
        http.client()
            .sendAsync(
                http.request(URI.create("http://127.0.0.1:1"))
                    .POST(HttpRequest.BodyPublishers.ofByteArray(call.toByteArray()))
                    .build(),
                HttpResponse.BodyHandlers.ofString())
            .handle((response, failure) -> 0)
            .join();
  }

  private static String frame(String content) {
    return "Content-Length: " + content.length() + "\r\n\r\n" + content;
  }

  /** The output of the server, up to the end of the task. */
  private static final class CapturedOutput extends OutputStream {
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private final CountDownLatch ended = new CountDownLatch(1);

    @Override
    public void write(int octet) {
      write(new byte[] {(byte) octet}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      written.write(bytes, offset, length);
      if (written.toString(StandardCharsets.UTF_8).contains("\"terminal\":true")) {
        ended.countDown();
      }
    }

    /** The input of a client that closes it when the task has ended. */
    InputStream awaitedInput() {
      return new InputStream() {
        @Override
        public int read() {
          try {
            // However the task ends: the run is for the classes it loads.
            boolean unused = ended.await(MAX_SECONDS, TimeUnit.SECONDS);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          return -1;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) {
          return read();
        }
      };
    }
  }
}

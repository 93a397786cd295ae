// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A short session with nobody, which loads the classes that the class-data archive is to hold. */
final class Rehearsal {
  private static final int LONGEST_SECONDS = 20;

  private Rehearsal() {}

  /** How to serve a client, with a state directory. */
  interface Server {
    int serve(InputStream in, OutputStream out, Path stateDir) throws IOException;
  }

  static int play(Server server) throws IOException {
    Path scratch = Files.createTempDirectory("ob-mesos");
    String block = "{\"blocks\":[{\"id\":\"rehearsal\",\"body\":\"echo\"}]}";
    String session =
        frame("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{}}")
            + frame("{\"jsonrpc\":\"2.0\",\"method\":\"initialized\",\"params\":{}}")
            + frame(
                "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"task/submit\",\"params\":"
                    + block
                    + "}");
    Answers answers = new Answers();
    InputStream script =
        new SequenceInputStream(
            new ByteArrayInputStream(session.getBytes(StandardCharsets.UTF_8)),
            answers.awaitedInput());
    int status = server.serve(script, answers, scratch);
    try (Stream<Path> files = Files.walk(scratch)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
    return status;
  }

  private static String frame(String content) {
    return "Content-Length: " + content.length() + "\r\n\r\n" + content;
  }

  /** What the server says, until the task has ended. */
  private static final class Answers extends OutputStream {
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();
    private final CountDownLatch ended = new CountDownLatch(1);

    @Override
    public void write(int octet) {
      write(new byte[] {(byte) octet}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      said.write(bytes, offset, length);
      if (said.toString(StandardCharsets.UTF_8).contains("\"terminal\":true")) {
        ended.countDown();
      }
    }

    /** A client that says nothing until then, and then is gone. */
    InputStream awaitedInput() {
      return new InputStream() {
        @Override
        public int read() {
          try {
            // However it ends: a rehearsal is for the sake of the classes it loads.
            boolean unused = ended.await(LONGEST_SECONDS, TimeUnit.SECONDS);
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

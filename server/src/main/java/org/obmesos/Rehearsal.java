// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A short session with nobody, which loads the classes that the class-data archive is to hold. */
final class Rehearsal {
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
    InputStream script =
        new java.io.SequenceInputStream(
            new ByteArrayInputStream(session.getBytes(StandardCharsets.UTF_8)), new Pause());
    int status = server.serve(script, OutputStream.nullOutputStream(), scratch);
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

  /** A client that says nothing for a second and then is gone. */
  private static final class Pause extends InputStream {
    @Override
    public int read() {
      try {
        Thread.sleep(1000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return -1;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) {
      return read();
    }
  }
}

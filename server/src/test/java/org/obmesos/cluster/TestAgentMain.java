// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.Executors;

/** A {@link TestAgent} in a process of its own, which can be stopped: DIRECTORY. */
public final class TestAgentMain {
  private TestAgentMain() {}

  /** Prints the port and serves until the end of stdin. */
  public static void main(String[] arguments) throws Exception {
    System.setProperty("sun.net.httpserver.nodelay", "true");
    System.setProperty("com.google.protobuf.use_unsafe_pre22_gencode", "true");
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newCachedThreadPool());
    var unused = new TestAgent(Path.of(arguments[0]), server);
    server.start();
    System.out.println(server.getAddress().getPort());
    while (System.in.read() >= 0) {
      // The parent writes nothing.
    }
    Runtime.getRuntime().halt(0);
  }
}

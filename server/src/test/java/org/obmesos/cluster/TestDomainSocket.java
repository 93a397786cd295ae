// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** The domain socket of an agent ({@code --http_executor_domain_sockets}), before its port. */
final class TestDomainSocket implements AutoCloseable {
  private final ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final AtomicInteger connections = new AtomicInteger();
  private final InetSocketAddress agent;

  TestDomainSocket(Path socket, int port) throws IOException {
    agent = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    server.bind(UnixDomainSocketAddress.of(socket));
    threads.execute(this::accept);
  }

  /** Returns the number of connections that were made to it. */
  int connections() {
    return connections.get();
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel near = server.accept();
        SocketChannel far = SocketChannel.open(agent);
        connections.incrementAndGet();
        threads.execute(() -> copy(near, far));
        threads.execute(() -> copy(far, near));
      }
    } catch (AsynchronousCloseException e) {
      // close() ends it.
      return;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void copy(SocketChannel from, SocketChannel to) {
    ByteBuffer buffer = ByteBuffer.allocate(8192);
    try (from;
        to) {
      while (from.read(buffer.clear()) >= 0) {
        buffer.flip();
        while (buffer.hasRemaining()) {
          to.write(buffer);
        }
      }
    } catch (ClosedChannelException e) {
      // The other direction has ended.
      return;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    threads.shutdownNow();
  }
}

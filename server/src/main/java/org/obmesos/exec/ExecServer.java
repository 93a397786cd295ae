// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.exec;

import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.obmesos.sandbox.ExecRequest;
import org.obmesos.sandbox.Execution;
import org.obmesos.task.TaskId;
import org.obmesos.util.UnixSockets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes exec.pl to a private directory and accepts its connections on the socket {@code exec.sock}
 * there. Each connection has its own threads.
 */
public final class ExecServer implements AutoCloseable {
  /** The name of the socket. */
  public static final String SOCKET = "exec.sock";

  /** The name of the client. */
  public static final String CLIENT = "exec.pl";

  private static final Logger log = LoggerFactory.getLogger(ExecServer.class);
  private static final int MAX_CONNECTIONS = 256;
  private static final Duration ACCEPT_PAUSE = Duration.ofSeconds(1);

  private final ServerSocketChannel listener;
  private final Executions executions;
  private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();

  /** Prepares commands beside tasks. */
  public interface Executions {
    /** Prepares one; an exception has a sentence for the user. */
    Execution exec(TaskId id, ExecRequest request) throws IOException;
  }

  /**
   * Begins to listen.
   *
   * @param directory a directory that only the user can read
   */
  public ExecServer(Path directory, Executions executions) throws IOException {
    this.executions = executions;
    install(directory);
    Path socket = directory.resolve(SOCKET);
    Files.deleteIfExists(socket);
    this.listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    UnixSockets.withAddress(socket, listener::bind);
    start("exec-listener", this::listen);
  }

  private static void install(Path directory) throws IOException {
    Path temporary = directory.resolve(CLIENT + ".new");
    try (InputStream source = ExecServer.class.getResourceAsStream(CLIENT)) {
      Files.copy(source, temporary, StandardCopyOption.REPLACE_EXISTING);
    }
    Files.move(temporary, directory.resolve(CLIENT), StandardCopyOption.ATOMIC_MOVE);
  }

  private static void start(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
  }

  private void listen() {
    while (listener.isOpen()) {
      try {
        SocketChannel channel = listener.accept();
        open.add(channel);
        start("exec", () -> serve(channel));
      } catch (ClosedChannelException e) {
        log.debug("no more connections", e);
      } catch (IOException e) {
        // There are too many open files, which may change.
        log.warn("a connection cannot be accepted: {}", e.toString());
        LockSupport.parkNanos(ACCEPT_PAUSE.toNanos());
      }
    }
  }

  private void serve(SocketChannel channel) {
    try (channel) {
      ExecConnection connection = new ExecConnection(channel, executions);
      if (open.size() > MAX_CONNECTIONS) {
        connection.refuse("there are more than " + MAX_CONNECTIONS + " sessions");
      } else {
        connection.serve();
      }
    } catch (IOException | RuntimeException e) {
      log.debug("a client has gone", e);
    } finally {
      open.remove(channel);
    }
  }

  @Override
  public void close() {
    try {
      listener.close();
      for (SocketChannel channel : open) {
        channel.close();
      }
    } catch (IOException e) {
      log.debug("a connection cannot be closed", e);
    }
  }
}

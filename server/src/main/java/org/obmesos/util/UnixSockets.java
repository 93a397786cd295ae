// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.util;

import java.io.IOException;
import java.io.InputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Unix domain sockets whose paths can be of any length. */
public final class UnixSockets {
  /** A socket's path has at most 108 bytes, with the NUL at its end (unix(7)). */
  private static final int MAX_PATH = 107;

  private UnixSockets() {}

  /** What is done with an address, such as to connect to it. */
  public interface AddressUse {
    /** Uses an address, which may not exist any more afterwards. */
    void use(UnixDomainSocketAddress address) throws IOException;
  }

  /** Calls a function with an address of a socket; a long path is reached through a link. */
  public static void withAddress(Path socket, AddressUse function) throws IOException {
    if (socket.toString().getBytes(StandardCharsets.UTF_8).length <= MAX_PATH) {
      function.use(UnixDomainSocketAddress.of(socket));
      return;
    }
    Path shorter = Files.createTempDirectory("ob-mesos");
    Path link = shorter.resolve("w");
    try {
      Files.createSymbolicLink(link, socket.getParent());
      function.use(UnixDomainSocketAddress.of(link.resolve(socket.getFileName())));
    } finally {
      Files.deleteIfExists(link);
      Files.delete(shorter);
    }
  }

  /**
   * Returns a stream that reads from a channel. The stream that {@link java.nio.channels.Channels}
   * makes would not let the channel read and write at a time.
   */
  public static InputStream input(SocketChannel channel) {
    return new ChannelInput(channel);
  }

  private static final class ChannelInput extends InputStream {
    private final SocketChannel channel;

    ChannelInput(SocketChannel channel) {
      this.channel = channel;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      return channel.read(ByteBuffer.wrap(bytes, offset, length));
    }
  }
}

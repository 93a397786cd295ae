// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.exec;

import com.google.protobuf.ByteString;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import org.obmesos.sandbox.ExecRequest;
import org.obmesos.sandbox.Execution;
import org.obmesos.task.InvalidBlockException;
import org.obmesos.task.TaskId;
import org.obmesos.util.UnixSockets;

/** A connection from exec.pl. The messages are described in exec.pl. */
final class ExecConnection {
  private static final int MAX_MESSAGE = 1 << 20;
  private static final int BUFFER = 64 * 1024;
  private static final int HEADER = 5;

  private final SocketChannel channel;
  private final DataInputStream in;
  private final ExecServer.Executions executions;

  private record Message(char type, ByteString data) {
    String text() {
      return data.toStringUtf8();
    }

    int number(int index) throws IOException {
      try {
        return Integer.parseInt(text().split(" ", 3)[index]);
      } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
        throw new IOException("not a size: " + text(), e);
      }
    }
  }

  ExecConnection(SocketChannel channel, ExecServer.Executions executions) {
    this.channel = channel;
    this.in = new DataInputStream(new BufferedInputStream(UnixSockets.input(channel), BUFFER));
    this.executions = executions;
  }

  void refuse(String why) throws IOException {
    send('F', why);
  }

  /** Serves the client until its command has ended. */
  void serve() throws IOException {
    List<String> words = new ArrayList<>();
    Optional<ExecRequest.Terminal> terminal = Optional.empty();
    String id = "";
    for (Message message = receive(); message.type != 'G'; message = receive()) {
      switch (message.type) {
        case 'T' -> id = message.text();
        case 'C' -> words.add(message.text());
        case 'Y' ->
            terminal =
                Optional.of(
                    new ExecRequest.Terminal(
                        message.number(0), message.number(1), message.text().split(" ", 3)[2]));
        default -> throw new IOException("unexpected message " + message.type);
      }
    }
    try {
      Execution execution = executions.exec(new TaskId(id), new ExecRequest(words, terminal));
      if (execution instanceof Execution.LocalCommand command) {
        describe(command);
      } else if (execution instanceof Execution.Session session) {
        relay(session);
      }
    } catch (IOException | InvalidBlockException | CompletionException e) {
      refuse(e.getMessage());
    }
  }

  private void describe(Execution.LocalCommand command) throws IOException {
    send('D', command.directory().toString());
    for (String word : command.argv()) {
      send('A', word);
    }
    for (String variable : command.environment()) {
      send('V', variable);
    }
    send('X', "");
  }

  private void relay(Execution.Session session) throws IOException {
    try (session) {
      send('R', "");
      session.attach(() -> input(session));
      String lost = copyOutput(session);
      if (lost != null) {
        send('L', lost);
        return;
      }
      Optional<Integer> status = session.waitStatus();
      if (status.isPresent()) {
        send('Q', status.get().toString());
      } else {
        send('L', "the agent does not know how the command has ended");
      }
    }
  }

  /** Returns why the connection to the agent was lost; null if the output has ended. */
  private String copyOutput(Execution.Session session) throws IOException {
    while (true) {
      Optional<Execution.Output> output;
      try {
        output = session.read();
      } catch (IOException e) {
        return String.valueOf(e.getMessage());
      }
      if (output.isEmpty()) {
        return null;
      }
      send(output.get().error() ? 'S' : 'O', output.get().data().toByteArray());
    }
  }

  /** Returns the next input; if the client has gone, the command is ended. */
  private Execution.InputEvent input(Execution.Session session) throws IOException {
    try {
      Message message = receive();
      return switch (message.type) {
        case 'I' -> new Execution.InputEvent.Data(message.data);
        case 'E' -> new Execution.InputEvent.End();
        case 'W' -> new Execution.InputEvent.Resize(message.number(0), message.number(1));
        default -> throw new IOException("unexpected message " + message.type);
      };
    } catch (IOException e) {
      session.close();
      throw e;
    }
  }

  private Message receive() throws IOException {
    char type = (char) in.readUnsignedByte();
    int length = in.readInt();
    if (length < 0 || length > MAX_MESSAGE) {
      throw new IOException("a message of " + length + " bytes");
    }
    byte[] data = new byte[length];
    in.readFully(data);
    return new Message(type, ByteString.copyFrom(data));
  }

  private void send(char type, String text) throws IOException {
    send(type, text.getBytes(StandardCharsets.UTF_8));
  }

  private void send(char type, byte[] data) throws IOException {
    ByteBuffer message =
        ByteBuffer.allocate(HEADER + data.length).put((byte) type).putInt(data.length).put(data);
    message.flip();
    while (message.hasRemaining()) {
      channel.write(message);
    }
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.sandbox;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.mesos.v1.Protos.FileInfo;
import org.apache.mesos.v1.agent.Protos.Call;
import org.apache.mesos.v1.agent.Protos.Response;

/**
 * A sandbox on an agent, read with the agent's READ_FILE and LIST_FILES calls, which give exact
 * bytes and sizes; where these are forbidden, with {@code /files/read}, which is in another realm.
 */
final class AgentSandbox implements Sandbox {
  private static final int TYPE = 0170000;
  private static final int DIRECTORY = 0040000;
  private static final int REGULAR = 0100000;

  /** Files that are read as long as a task runs. */
  private static final Pattern OUTPUT =
      Pattern.compile("(stdout|stderr)(\\.[0-9]+)?|\\.ob-mesos-kept");

  private final AgentHttpClient agent;
  private final String directory;
  private final boolean writtenLate;

  /**
   * Creates a sandbox.
   *
   * @param writtenLate whether a container logger writes the output
   */
  AgentSandbox(AgentHttpClient agent, String directory, boolean writtenLate) {
    this.writtenLate = writtenLate;
    this.agent = agent;
    this.directory = directory;
  }

  @Override
  public boolean isRemote() {
    return true;
  }

  @Override
  public boolean isWrittenLate() {
    return writtenLate;
  }

  @Override
  public String location() {
    return agent.address() + directory;
  }

  @Override
  public long size(String path) throws IOException {
    return readFile(path, 0, 0).map(Response.ReadFile::getSize).orElse(0L);
  }

  @Override
  public byte[] read(String path, long offset, int length) throws IOException {
    if (!OUTPUT.matcher(path).matches()) {
      checkRegular(Path.of(inside(path)).normalize());
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    while (bytes.size() < length) {
      // An agent returns at most 16 pages in one answer (slave/http.cpp).
      Optional<Response.ReadFile> piece =
          readFile(path, offset + bytes.size(), length - bytes.size());
      if (piece.isEmpty() || piece.get().getData().isEmpty()) {
        break;
      }
      piece.get().getData().writeTo(bytes);
    }
    return bytes.toByteArray();
  }

  /**
   * An agent opens files in one thread, and waits there for a process that writes into a FIFO.
   * Where LIST_FILES is forbidden, nothing is checked.
   */
  private void checkRegular(Path file) throws IOException {
    HttpResponse<byte[]> response = agent.call(listFiles(file.getParent().toString()));
    if (response.statusCode() != 200) {
      return;
    }
    for (FileInfo info : parse(response).getListFiles().getFileInfosList()) {
      int type = info.getMode() & TYPE;
      if (Path.of(info.getPath()).equals(file) && type != REGULAR && type != DIRECTORY) {
        throw new IOException(file.getFileName() + " is not a regular file");
      }
    }
  }

  @Override
  public List<Entry> list(String path) throws IOException {
    List<Entry> entries = new ArrayList<>();
    for (FileInfo file : files(path)) {
      int type = file.getMode() & TYPE;
      if (type == REGULAR || type == DIRECTORY) {
        entries.add(
            new Entry(
                relative(file),
                type == DIRECTORY ? 0 : file.getSize(),
                Instant.ofEpochSecond(0, file.getMtime().getNanoseconds()),
                type == DIRECTORY));
      }
    }
    entries.sort(Comparator.comparing(Entry::path));
    return entries;
  }

  private String relative(FileInfo file) {
    return file.getPath().startsWith(directory + "/")
        ? file.getPath().substring(directory.length() + 1)
        : file.getPath();
  }

  private List<FileInfo> files(String path) throws IOException {
    HttpResponse<byte[]> response = agent.call(listFiles(inside(path)));
    return response.statusCode() == 404
        ? List.of()
        : parse(response).getListFiles().getFileInfosList();
  }

  private static Call listFiles(String directory) {
    return Call.newBuilder()
        .setType(Call.Type.LIST_FILES)
        .setListFiles(Call.ListFiles.newBuilder().setPath(directory))
        .build();
  }

  private String inside(String path) throws IOException {
    for (String part : path.split("/", -1)) {
      if (part.equals("..")) {
        throw new IOException("the path " + path + " leads out of the sandbox");
      }
    }
    return path.isEmpty() ? directory : directory + "/" + path;
  }

  /** Returns empty if there is no such file, which is normal before the task has started. */
  private Optional<Response.ReadFile> readFile(String path, long offset, int length)
      throws IOException {
    Call call =
        Call.newBuilder()
            .setType(Call.Type.READ_FILE)
            .setReadFile(
                Call.ReadFile.newBuilder()
                    .setPath(inside(path))
                    .setOffset(offset)
                    .setLength(length))
            .build();
    HttpResponse<byte[]> response = agent.call(call);
    return switch (response.statusCode()) {
      case 404 -> Optional.empty();
      case 401, 403 -> filesRead(path, offset, length);
      default -> Optional.of(parse(response).getReadFile());
    };
  }

  private Response parse(HttpResponse<byte[]> response) throws IOException {
    if (response.statusCode() != 200) {
      throw agent.refusal(response);
    }
    return Response.parseFrom(response.body());
  }

  /**
   * Reads with {@code /files/read}. Past the end of a file it only echoes the offset, so the size
   * is requested first.
   */
  private Optional<Response.ReadFile> filesRead(String path, long offset, int length)
      throws IOException {
    Optional<JsonObject> end = filesReadOnce(path, -1, 0);
    if (end.isEmpty()) {
      return Optional.empty();
    }
    Response.ReadFile.Builder file =
        Response.ReadFile.newBuilder().setSize(end.get().get("offset").getAsLong());
    String data = "";
    if (length > 0 && offset < file.getSize()) {
      data =
          filesReadOnce(path, offset, length)
              .map(answer -> answer.get("data").getAsString())
              .orElse("");
    }
    return Optional.of(
        file.setData(ByteString.copyFrom(data.getBytes(StandardCharsets.ISO_8859_1))).build());
  }

  private Optional<JsonObject> filesReadOnce(String path, long offset, int length)
      throws IOException {
    String query =
        "/files/read?path="
            + URLEncoder.encode(inside(path), StandardCharsets.UTF_8)
            + "&offset="
            + offset
            + (offset < 0 ? "" : "&length=" + length);
    HttpResponse<byte[]> response = agent.send(agent.request(query).GET());
    if (response.statusCode() == 404) {
      return Optional.empty();
    }
    if (response.statusCode() != 200) {
      parse(response);
    }
    try {
      // The agent puts the file's bytes into the JSON as they are: each is one character.
      return Optional.of(
          JsonParser.parseString(new String(response.body(), StandardCharsets.ISO_8859_1))
              .getAsJsonObject());
    } catch (JsonParseException | IllegalStateException e) {
      throw new IOException("the agent's answer cannot be read: " + e.getMessage(), e);
    }
  }
}

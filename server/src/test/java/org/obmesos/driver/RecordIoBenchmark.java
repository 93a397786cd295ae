// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.driver;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.TaskID;
import org.apache.mesos.v1.Protos.TaskState;
import org.apache.mesos.v1.Protos.TaskStatus;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** How fast a stream of status updates is taken apart, in pieces as a socket gives them. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class RecordIoBenchmark {
  private static final int EVENTS = 10_000;
  private static final int PIECE = 16 * 1024;
  private static final double MEBI = 1 << 20;

  private byte[] stream;

  /** What is counted. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  public static class Counters {
    /** Events that were parsed. */
    public long events;

    /** MiB that were taken. */
    public double mebibytes;
  }

  /** Makes the stream. */
  @Setup
  public void record() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int n = 0; n < EVENTS; n++) {
      TaskStatus.Builder status =
          TaskStatus.newBuilder()
              .setTaskId(TaskID.newBuilder().setValue("block-abcdefgh" + n))
              .setAgentId(AgentID.newBuilder().setValue("c87e1dd4-04da-49da-ba5d-df3dc22d2a85-S0"))
              .setState(TaskState.TASK_RUNNING)
              .setSource(TaskStatus.Source.SOURCE_EXECUTOR)
              .setTimestamp(1.79e9 + n)
              .setUuid(ByteString.copyFromUtf8("0123456789abcdef"));
      byte[] event =
          Event.newBuilder()
              .setType(Event.Type.UPDATE)
              .setUpdate(Event.Update.newBuilder().setStatus(status))
              .build()
              .toByteArray();
      bytes.write((event.length + "\n").getBytes(StandardCharsets.US_ASCII));
      bytes.write(event);
    }
    stream = bytes.toByteArray();
  }

  /** Decodes and parses the whole stream. */
  @Benchmark
  public long decode(Counters counters) throws IOException {
    long before = counters.events;
    RecordIo decoder =
        new RecordIo(
            record -> {
              try {
                counters.events += Event.parseFrom(record).hasUpdate() ? 1 : 0;
              } catch (InvalidProtocolBufferException e) {
                throw new UncheckedIOException(e);
              }
            });
    for (int from = 0; from < stream.length; from += PIECE) {
      decoder.feed(ByteBuffer.wrap(stream, from, Math.min(PIECE, stream.length - from)));
    }
    counters.mebibytes += stream.length / MEBI;
    return counters.events - before;
  }
}

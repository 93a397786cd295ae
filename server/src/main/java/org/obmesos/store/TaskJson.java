// SPDX-License-Identifier: GPL-3.0-or-later
package org.obmesos.store;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.TypeAdapter;
import com.google.gson.TypeAdapterFactory;
import com.google.gson.reflect.TypeToken;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.Optional;
import org.obmesos.task.TaskId;

/**
 * The JSON of the columns {@code block} and {@code launch}: the records of the package {@code
 * task}, with their component names. A change of such a name is a new version of the schema.
 */
final class TaskJson {
  static final Gson GSON =
      new GsonBuilder()
          .disableHtmlEscaping()
          // Gson passes null for a missing component, not an empty Optional.
          .serializeNulls()
          .registerTypeAdapterFactory(new OptionalFactory())
          .registerTypeAdapter(TaskId.class, new TaskIdAdapter().nullSafe())
          .registerTypeAdapter(Duration.class, new DurationAdapter().nullSafe())
          .create();

  private TaskJson() {}

  private static final class TaskIdAdapter extends TypeAdapter<TaskId> {
    @Override
    public void write(JsonWriter out, TaskId id) throws IOException {
      out.value(id.value());
    }

    @Override
    public TaskId read(JsonReader in) throws IOException {
      return new TaskId(in.nextString());
    }
  }

  /** In milliseconds. */
  private static final class DurationAdapter extends TypeAdapter<Duration> {
    @Override
    public void write(JsonWriter out, Duration duration) throws IOException {
      out.value(duration.toMillis());
    }

    @Override
    public Duration read(JsonReader in) throws IOException {
      return Duration.ofMillis(in.nextLong());
    }
  }

  /** An empty Optional is null. */
  private static final class OptionalFactory implements TypeAdapterFactory {
    @Override
    @SuppressWarnings("unchecked") // T is Optional, as was just checked.
    public <T> TypeAdapter<T> create(Gson gson, TypeToken<T> type) {
      if (type.getRawType() != Optional.class) {
        return null;
      }
      Type value = ((ParameterizedType) type.getType()).getActualTypeArguments()[0];
      return (TypeAdapter<T>) adapter(gson.getAdapter(TypeToken.get(value)));
    }

    private static <V> TypeAdapter<Optional<V>> adapter(TypeAdapter<V> values) {
      return new TypeAdapter<>() {
        @Override
        public void write(JsonWriter out, Optional<V> optional) throws IOException {
          if (optional.isPresent()) {
            values.write(out, optional.get());
          } else {
            out.nullValue();
          }
        }

        @Override
        public Optional<V> read(JsonReader in) throws IOException {
          if (in.peek() == JsonToken.NULL) {
            in.nextNull();
            return Optional.empty();
          }
          return Optional.of(values.read(in));
        }
      };
    }
  }
}

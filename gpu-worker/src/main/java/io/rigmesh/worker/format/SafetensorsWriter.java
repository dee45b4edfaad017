package io.rigmesh.worker.format;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Collects tensors and writes them as one safetensors file. The same tensors and metadata give the
/// same bytes, in whatever order they were added: wider types first, then by name, as Hugging
/// Face's own writer lays them out; the header is padded with spaces so that the data starts at a
/// multiple of eight bytes. Not safe for use by several threads.
///
/// The arrays are not copied: they must not change until the file is written.
public final class SafetensorsWriter {

  private static final JsonFactory FACTORY = new JsonFactory();
  private static final int CHUNK_BYTES = 1 << 20;

  private final Map<String, Source> sources = new LinkedHashMap<>();
  private final Map<String, String> metadata = new TreeMap<>();

  private record Source(String name, ElementType type, List<Long> shape, long bytes, Object data) {}

  /// Adds one line of free text to the header.
  public SafetensorsWriter metadata(String key, String value) {
    metadata.put(key, value);
    return this;
  }

  /// Adds an F32 tensor.
  ///
  /// @param values its elements, row-major
  /// @throws IllegalArgumentException when the shape does not fit the values, or the name is taken
  public SafetensorsWriter add(String name, float[] values, long... shape) {
    return add(name, ElementType.F32, 4L * values.length, values, shape);
  }

  /// Adds an I64 tensor; see [#add(String, float[], long...)].
  public SafetensorsWriter add(String name, long[] values, long... shape) {
    return add(name, ElementType.I64, 8L * values.length, values, shape);
  }

  /// Adds a tensor of any type by its little-endian bytes, from the buffer's position to its limit;
  /// see [#add(String, float[], long...)].
  public SafetensorsWriter add(String name, ElementType type, ByteBuffer bytes, long... shape) {
    return add(name, type, bytes.remaining(), bytes, shape);
  }

  private SafetensorsWriter add(
      String name, ElementType type, long bytes, Object data, long... shape) {
    long wanted = type.bytes();
    for (long dimension : shape) {
      wanted = Math.multiplyExact(wanted, dimension);
    }
    List<Long> dimensions = java.util.Arrays.stream(shape).boxed().toList();
    if (wanted != bytes) {
      throw new IllegalArgumentException(
          name + ": " + type + " " + dimensions + " needs " + wanted + " bytes, not " + bytes);
    }
    if (name.equals(SafetensorsHeader.METADATA)
        || sources.putIfAbsent(name, new Source(name, type, dimensions, bytes, data)) != null) {
      throw new IllegalArgumentException(name + ": the name is taken");
    }
    return this;
  }

  /// Writes the file, whole or not at all; see [AtomicFile].
  ///
  /// @throws java.io.UncheckedIOException when it cannot be written; nothing is left behind then
  public void write(Path path) {
    AtomicFile.write(path, this::write);
  }

  private void write(FileChannel channel) throws IOException {
    List<Source> ordered =
        sources.values().stream()
            .sorted(
                Comparator.comparingInt((Source source) -> -source.type().bytes())
                    .thenComparing(Source::name))
            .toList();
    byte[] header = header(ordered);
    ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    chunk.putLong(header.length);
    flush(chunk, channel);
    AtomicFile.writeAll(channel, ByteBuffer.wrap(header));
    for (Source source : ordered) {
      switch (source.data()) {
        case float[] values -> {
          for (int done = 0; done < values.length; ) {
            int count = Math.min(values.length - done, chunk.remaining() / 4);
            chunk.asFloatBuffer().put(values, done, count);
            chunk.position(4 * count);
            flush(chunk, channel);
            done += count;
          }
        }
        case long[] values -> {
          for (int done = 0; done < values.length; ) {
            int count = Math.min(values.length - done, chunk.remaining() / 8);
            chunk.asLongBuffer().put(values, done, count);
            chunk.position(8 * count);
            flush(chunk, channel);
            done += count;
          }
        }
        case ByteBuffer bytes -> AtomicFile.writeAll(channel, bytes.duplicate());
        default -> throw new AssertionError(source.data().getClass());
      }
    }
  }

  private byte[] header(List<Source> ordered) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = FACTORY.createGenerator(out)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(SafetensorsHeader.METADATA);
        for (Map.Entry<String, String> line : metadata.entrySet()) {
          json.writeStringField(line.getKey(), line.getValue());
        }
        json.writeEndObject();
      }
      long start = 0;
      for (Source source : ordered) {
        json.writeObjectFieldStart(source.name());
        json.writeStringField("dtype", source.type().name());
        json.writeArrayFieldStart("shape");
        for (long dimension : source.shape()) {
          json.writeNumber(dimension);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("data_offsets");
        json.writeNumber(start);
        start += source.bytes();
        json.writeNumber(start);
        json.writeEndArray();
        json.writeEndObject();
      }
      json.writeEndObject();
    }
    out.write(" ".repeat(Math.floorMod(-out.size(), 8)).getBytes(UTF_8));
    return out.toByteArray();
  }

  private static void flush(ByteBuffer chunk, FileChannel channel) throws IOException {
    AtomicFile.writeAll(channel, chunk.flip());
    chunk.clear();
  }
}

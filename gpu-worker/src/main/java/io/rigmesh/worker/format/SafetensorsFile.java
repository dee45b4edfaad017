package io.rigmesh.worker.format;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A safetensors file, memory-mapped and read only. Its header is checked against the length of the
/// file before anything is allocated: a length out of range, an unknown type, a shape that
/// disagrees with its bytes, an overlap or a hole is a [ModelFormatException]. Safe for use by
/// several threads until it is closed.
///
/// Source: the format's description at huggingface.co/docs/safetensors. Eight bytes hold the
/// header's length N, little-endian; N bytes of JSON follow; the rest is the tensors' data, which
/// the header must cover wholly.
public final class SafetensorsFile implements AutoCloseable {

  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path path;
  private final Arena arena;
  private final MemorySegment file;
  private final SafetensorsHeader header;

  private SafetensorsFile(Path path, Arena arena, MemorySegment file, SafetensorsHeader header) {
    this.path = path;
    this.arena = arena;
    this.file = file;
    this.header = header;
  }

  /// Maps the file and reads its header.
  ///
  /// @throws ModelFormatException when the file is not well-formed safetensors
  /// @throws UncheckedIOException when the file cannot be read
  public static SafetensorsFile open(Path path) {
    Arena arena = Arena.ofShared();
    try {
      SafetensorsFile opened = map(path, arena);
      arena = null;
      return opened;
    } finally {
      if (arena != null) {
        arena.close();
      }
    }
  }

  private static SafetensorsFile map(Path path, Arena arena) {
    MemorySegment file;
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      file = channel.map(MapMode.READ_ONLY, 0, channel.size(), arena);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + path + ": " + e.getMessage(), e);
    }
    long size = file.byteSize();
    if (size < SafetensorsHeader.PREFIX_BYTES) {
      throw ModelFormatException.in(
          path, "header length", 0, "the file has " + size + " bytes, fewer than its length field");
    }
    long headerBytes = file.get(LONG, 0);
    long headerBytesMax =
        Math.min(SafetensorsHeader.BYTES_MAX, size - SafetensorsHeader.PREFIX_BYTES);
    if (headerBytes < 2 || headerBytes > headerBytesMax) {
      throw ModelFormatException.in(
          path,
          "header length",
          0,
          "is "
              + Long.toUnsignedString(headerBytes)
              + ", must be from 2 to "
              + headerBytesMax
              + "; the file is not safetensors, or was cut off: fetch it again");
    }
    byte[] json = file.asSlice(SafetensorsHeader.PREFIX_BYTES, headerBytes).toArray(JAVA_BYTE);
    return new SafetensorsFile(path, arena, file, SafetensorsHeader.parse(path, json, size));
  }

  /// The path it was opened from.
  public Path path() {
    return path;
  }

  /// The names of its tensors, in the order of their data.
  public Set<String> names() {
    return header.tensors().keySet();
  }

  /// Where a tensor lies and what it is, or empty when the file has none of that name.
  public Optional<StoredTensor> find(String name) {
    return Optional.ofNullable(header.tensors().get(name));
  }

  /// As [#find(String)], for a tensor that must be there.
  ///
  /// @throws ModelFormatException when it is not
  public StoredTensor tensor(String name) {
    return find(name)
        .orElseThrow(() ->
            ModelFormatException.in(
                path, name, ModelFormatException.NO_OFFSET, "the tensor is missing"));
  }

  /// As [#tensor(String)], for a tensor that must have the given shape.
  ///
  /// @throws ModelFormatException when it is missing or has another shape
  public StoredTensor tensor(String name, long... shape) {
    StoredTensor tensor = tensor(name);
    List<Long> wanted = java.util.Arrays.stream(shape).boxed().toList();
    if (!tensor.shape().equals(wanted)) {
      throw ModelFormatException.in(
          path,
          name + ".shape",
          tensor.offset(),
          "is " + tensor.shape() + ", the model's config asks for " + wanted);
    }
    return tensor;
  }

  /// As [#tensor(String, long...)], for a tensor whose elements can be read as floats into one
  /// array.
  ///
  /// @throws ModelFormatException when they cannot
  public StoredTensor floatTensor(String name, long... shape) {
    StoredTensor tensor = tensor(name, shape);
    checkFloats(tensor);
    return tensor;
  }

  /// The free text of the header's `__metadata__`.
  public Map<String, String> metadata() {
    return header.metadata();
  }

  /// The bytes of a tensor, valid until the file is closed.
  public MemorySegment bytes(String name) {
    StoredTensor tensor = tensor(name);
    return file.asSlice(tensor.offset(), tensor.bytes());
  }

  /// The elements of an F32, F16 or BF16 tensor, converted exactly, row-major.
  ///
  /// @throws ModelFormatException when the tensor is missing, is of another type, has too many
  ///   elements for one array, or holds a NaN or an infinity (numerics.md, I4)
  public float[] floats(String name) {
    StoredTensor tensor = tensor(name);
    checkFloats(tensor);
    float[] values = new float[(int) tensor.elements()];
    copy(tensor, values);
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw ModelFormatException.in(
            path,
            name + "[" + i + "]",
            tensor.offset() + (long) i * tensor.type().bytes(),
            "is " + values[i] + ", every weight must be finite");
      }
    }
    return values;
  }

  private void checkFloats(StoredTensor tensor) {
    if (!tensor.type().readableAsFloats()) {
      throw ModelFormatException.in(
          path,
          tensor.name() + ".dtype",
          tensor.offset(),
          "is " + tensor.type() + ", must be F32, F16 or BF16; convert the checkpoint first");
    }
    if (tensor.elements() > Integer.MAX_VALUE - 8) {
      throw ModelFormatException.in(
          path,
          tensor.name() + ".shape",
          tensor.offset(),
          "has " + tensor.elements() + " elements, more than one array holds");
    }
  }

  private void copy(StoredTensor tensor, float[] values) {
    long offset = tensor.offset();
    switch (tensor.type()) {
      case F32 -> MemorySegment.copy(file, FLOAT, offset, values, 0, values.length);
      case F16 -> {
        for (int i = 0; i < values.length; i++) {
          values[i] = Float.float16ToFloat(file.get(SHORT, offset + 2L * i));
        }
      }
      case BF16 -> {
        for (int i = 0; i < values.length; i++) {
          values[i] = Float.intBitsToFloat(file.get(SHORT, offset + 2L * i) << 16);
        }
      }
      default -> throw new AssertionError(tensor.type());
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}

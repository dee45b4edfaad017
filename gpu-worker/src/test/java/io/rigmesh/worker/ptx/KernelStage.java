package io.rigmesh.worker.ptx;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// Where one shipped kernel is run on one kind of numbers and compared with the reference: what
/// runs kernels, the buffers of the case, and the fault word.
final class KernelStage implements AutoCloseable {
  /// The number of the operation that kernels are given.
  static final int OP = 40;

  private static final int POISON = 0x7fc0ffff;

  private final StageDevice device;
  private final String entry;
  private final Numbers.Kind kind;
  private final Numbers numbers;
  private final List<DeviceBuffer> buffers = new ArrayList<>();
  private final DeviceBuffer fault;
  private boolean reported;

  /// @param device what runs the kernels
  KernelStage(StageDevice device, String entry, Numbers.Kind kind, long seed) {
    this.device = device;
    this.entry = entry;
    this.kind = kind;
    this.numbers = new Numbers(kind, seed);
    this.fault = bytes("fault", longs(-1));
    device.backwards(seed % 2 == 1);
  }

  String entry() {
    return entry;
  }

  Numbers.Kind kind() {
    return kind;
  }

  Numbers numbers() {
    return numbers;
  }

  DeviceBuffer fault() {
    return fault;
  }

  /// Whether the reference found NaN or infinity, and the kernel said the same.
  boolean reported() {
    return reported;
  }

  /// Forgets a fault, for another case of the same check.
  void clear() {
    fault.write(0, longs(-1));
    reported = false;
  }

  /// A buffer with a tensor's elements.
  DeviceBuffer floats(String name, Tensor tensor) {
    return floats(name, tensor, tensor.cols());
  }

  /// A buffer with a tensor's rows `stride` floats apart, poison between them.
  DeviceBuffer floats(String name, Tensor tensor, int stride) {
    DeviceBuffer buffer = poisoned(name, tensor.rowCount() * stride);
    for (int row = 0; row < tensor.rowCount(); row++) {
      buffer.write(row * stride * 4, littleEndian(tensor.rows(row, row + 1).toArray()));
    }
    return buffer;
  }

  DeviceBuffer ints(String name, int... values) {
    return bytes(name, Snippet.bytes(values));
  }

  DeviceBuffer bytes(String name, byte[] values) {
    DeviceBuffer buffer = unwritten(name, values.length);
    buffer.write(0, values);
    return buffer;
  }

  /// A buffer that may be read only where the kernel wrote.
  DeviceBuffer unwritten(String name, int bytes) {
    DeviceBuffer buffer = device.allocate(name, bytes);
    buffers.add(buffer);
    return buffer;
  }

  /// A buffer of `count` floats that hold NaN, as left over from other work.
  DeviceBuffer poisoned(String name, int count) {
    DeviceBuffer buffer = unwritten(name, count * 4);
    buffer.poison();
    return buffer;
  }

  static byte[] longs(long value) {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
  }

  void launch(Extent grid, int threads, int sharedBytes, Object... arguments) {
    launch(entry, grid, threads, sharedBytes, arguments);
  }

  /// Launches a kernel that need not be the one this is about.
  void launch(String kernel, Extent grid, int threads, int sharedBytes, Object... arguments) {
    device.launch(kernel, grid, threads, sharedBytes, arguments);
  }

  float[] read(DeviceBuffer buffer, int at, int count) {
    float[] values = new float[count];
    ByteBuffer.wrap(buffer.read(at * 4, count * 4))
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .get(values);
    return values;
  }

  long word(DeviceBuffer buffer, int at) {
    return ByteBuffer.wrap(buffer.read(at * 8, 8)).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  /// What the reference gives, or nothing where it finds NaN or infinity; then the fault word has
  /// to name the same operation (`ops` in the order of their numbers) and element.
  <T> Optional<T> expected(List<String> ops, Supplier<T> reference) {
    long word = word(fault, 0);
    try {
      T result = reference.get();
      assertThat(word).as("%s: no fault", entry).isEqualTo(-1L);
      return Optional.of(result);
    } catch (NonFiniteException e) {
      reported = true;
      assertThat(word).as("%s: a fault as in \"%s\"", entry, e.getMessage()).isNotEqualTo(-1L);
      assertThat(ops.get((int) (word >>> 48) - OP))
          .as("%s: the fault's op", entry)
          .isEqualTo(e.op());
      assertThat((int) (word >>> 16)).as("%s: the fault's element", entry).isEqualTo(e.index());
      return Optional.empty();
    }
  }

  /// The rows of `buffer`, `stride` floats apart, hold the bits of `expected`, and everything else
  /// is as poisoned.
  void same(DeviceBuffer buffer, int stride, Tensor expected) {
    int cols = expected.cols();
    float[] all = read(buffer, 0, buffer.size() / 4);
    for (int i = 0; i < all.length; i++) {
      int row = i / stride;
      int col = i % stride;
      boolean written = row < expected.rowCount() && col < cols;
      int bits = written ? Float.floatToRawIntBits(expected.get(row, col)) : POISON;
      if (Float.floatToRawIntBits(all[i]) != bits) {
        assertThat("%08x".formatted(Float.floatToRawIntBits(all[i])))
            .as("%s, %s: row %d, column %d of %s", entry, kind, row, col, expected)
            .isEqualTo("%08x".formatted(bits));
      }
    }
  }

  static byte[] littleEndian(float[] values) {
    ByteBuffer buffer = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    buffer.asFloatBuffer().put(values);
    return buffer.array();
  }

  @Override
  public void close() {
    buffers.forEach(device::free);
  }
}

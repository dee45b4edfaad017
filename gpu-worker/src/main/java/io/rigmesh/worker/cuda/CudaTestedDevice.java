package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.cuda.LinearLaunch.Mode;
import io.rigmesh.worker.kernels.QuantisedRows;
import io.rigmesh.worker.selftest.SeededNumbers;
import io.rigmesh.worker.selftest.TestedDevice;
import io.rigmesh.worker.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;

/// A CUDA device under test: its memory and the kernels of linear layers that models run on. All
/// memory is the device's until it is closed.
public final class CudaTestedDevice implements TestedDevice {
  private static final int CHUNK_WORDS = 1 << 22;
  private static final long CHUNK_BYTES = (long) CHUNK_WORDS * Integer.BYTES;
  private static final int THREADS = 256;
  private static final int ROW_WORDS = 1024;

  /// Where in the control words the numbers of live rows stand, behind the fault.
  private static final int ROWS_AT = 8;

  private static final int PRODUCT_ROWS_AT = 16;

  /// What the matrices of a challenge may want, and the driver for itself.
  private static final long RESERVED_BYTES = 1536L << 20;

  /// More than any cache holds.
  private static final long MEMORY_BYTES_MIN = 512L << 20;

  private final Accelerator device;
  private final long control;
  private long memory;
  private long copy;
  private long rowNumbers;
  private long words;

  /// @param device what runs it, closed with this
  public CudaTestedDevice(Accelerator device) {
    this.device = device;
    this.control = device.allocate(256);
    device.write(control, MemorySegment.ofArray(new long[] {LaunchPlan.NO_FAULT}));
  }

  @Override
  public String name() {
    return device.name();
  }

  @Override
  public long memoryTotalBytes() {
    return device.memoryTotalBytes();
  }

  /// All that is free: a half is filled, and the other takes the copies.
  @Override
  public long fillableBytes() {
    long free = Math.max(0, device.memoryFreeBytes() - RESERVED_BYTES);
    return Math.max(MEMORY_BYTES_MIN, free / 2 / CHUNK_BYTES * CHUNK_BYTES);
  }

  @Override
  public void fill(long seed, long count) {
    words = count;
    int rows = rows(count);
    memory = device.allocate(4L * rows * ROW_WORDS);
    copy = device.allocate(4L * rows * ROW_WORDS);
    rowNumbers = device.allocate(4L * rows);
    device.write(rowNumbers, MemorySegment.ofArray(IntStream.range(0, rows).toArray()));
    device.write(control + ROWS_AT, MemorySegment.ofArray(new int[] {rows}));
    for (long from = 0; from < count; from += CHUNK_WORDS) {
      int[] chunk = new int[(int) Math.min(CHUNK_WORDS, count - from)];
      SeededNumbers.fill(seed, from, chunk);
      device.write(memory + from * Integer.BYTES, MemorySegment.ofArray(chunk));
    }
    barrier(memory);
  }

  /// How many rows of words the memory is, as the copying kernel sees it.
  private static int rows(long count) {
    return Math.toIntExact((count + ROW_WORDS - 1) / ROW_WORDS);
  }

  /// Copies the whole memory within the device by the kernel of the embedding, whose rows are
  /// copied bit by bit; what is asked for afterwards is the copy.
  @Override
  public long pass() {
    int rows = rows(words);
    device.run(
        new LaunchPlan(
            "pass",
            List.of(
                new Launch(
                    "pass over the memory",
                    "embedding_f32",
                    rows,
                    1,
                    1,
                    THREADS,
                    0,
                    new Arguments()
                        .at(memory, rowNumbers, copy, control + ROWS_AT)
                        .ints(ROW_WORDS)
                        .list(),
                    List.of(),
                    Work.moving(4L * rows * ROW_WORDS, 4L * rows * ROW_WORDS)))));
    barrier(copy);
    return 8L * rows * ROW_WORDS;
  }

  @Override
  public int[] words(long[] indices) {
    int[] found = new int[indices.length];
    int[] one = new int[1];
    for (int i = 0; i < indices.length; i++) {
      device.read(copy + indices[i] * Integer.BYTES, MemorySegment.ofArray(one));
      found[i] = one[0];
    }
    return found;
  }

  @Override
  public void release() {
    words = 0;
  }

  @Override
  public Product product(Profile profile, Tensor weight, int rows) {
    int columns = weight.dim(0);
    int depth = weight.dim(1);
    Arena measuring = Arena.measuring();
    DeviceMatrix.take(measuring, profile, columns, depth);
    DeviceMatrix matrix =
        DeviceMatrix.take(
            new Arena(device.allocate(measuring.used()), measuring.used()),
            profile,
            columns,
            depth);
    load(matrix, weight);
    long x = device.allocate(4L * rows * depth);
    long y = device.allocate(4L * rows * columns);
    boolean int8 = profile == Profile.I8_V1;
    long quantised = int8 ? device.allocate((long) rows * matrix.pitch()) : x;
    long scales = int8 ? device.allocate(4L * rows) : 0;
    device.write(control + PRODUCT_ROWS_AT, MemorySegment.ofArray(new int[] {rows}));
    LaunchPlan.Builder plan = new LaunchPlan.Builder("product");
    if (int8) {
      plan.add(quantise(x, quantised, scales, matrix, rows, plan.nextFault()));
    }
    plan.add(
        LinearLaunch.of(
            new LinearLaunch.Use(
                "product",
                matrix,
                0,
                quantised,
                scales,
                y,
                control + PRODUCT_ROWS_AT,
                rows,
                Mode.PLAIN),
            device.architecture(),
            control,
            plan.nextFault()));
    return new Launched(plan.build(), x, y, Tensor.zeros(rows, columns));
  }

  private Launch quantise(
      long x, long quantised, long scales, DeviceMatrix matrix, int rows, int firstFault) {
    int depth = matrix.depth();
    return new Launch(
        "input",
        "quantise_rows_f32",
        rows,
        1,
        1,
        THREADS,
        0,
        new Arguments()
            .at(x)
            .ints(depth)
            .at(quantised, scales)
            .ints(matrix.pitch())
            .at(control + PRODUCT_ROWS_AT)
            .ints(depth)
            .at(control)
            .ints(firstFault)
            .list(),
        List.of("quantise"),
        Work.moving(4L * rows * depth, (long) rows * matrix.pitch()));
  }

  private void load(DeviceMatrix matrix, Tensor weight) {
    int pitch = matrix.pitch();
    if (matrix.profile() == Profile.I8_V1) {
      QuantisedRows rows = QuantisedRows.of(weight);
      byte[] bytes = new byte[matrix.columns() * pitch];
      for (int row = 0; row < matrix.columns(); row++) {
        System.arraycopy(rows.values(), row * rows.cols(), bytes, row * pitch, rows.cols());
      }
      device.write(matrix.address(), MemorySegment.ofArray(bytes));
      device.write(matrix.scales(), MemorySegment.ofArray(rows.scales()));
      return;
    }
    float[] transposed = new float[matrix.depth() * pitch];
    for (int n = 0; n < matrix.columns(); n++) {
      for (int k = 0; k < matrix.depth(); k++) {
        transposed[k * pitch + n] = weight.get(n, k);
      }
    }
    device.write(matrix.address(), MemorySegment.ofArray(transposed));
  }

  /// A product whose launches are written.
  private final class Launched implements Product {
    private final LaunchPlan plan;
    private final long x;
    private final long y;
    private final Tensor result;

    Launched(LaunchPlan plan, long x, long y, Tensor result) {
      this.plan = plan;
      this.x = x;
      this.y = y;
      this.result = result;
    }

    @Override
    public void input(Tensor values) {
      device.write(x, MemorySegment.ofArray(values.toArray()));
      barrier(x);
    }

    @Override
    public void multiply() {
      device.run(plan);
      barrier(y);
    }

    @Override
    public Tensor result() {
      long[] fault = new long[1];
      device.read(control, MemorySegment.ofArray(fault));
      plan.check(fault[0]);
      device.read(y, MemorySegment.ofArray(result.data()));
      return result.copy();
    }
  }

  private void barrier(long address) {
    device.read(address, MemorySegment.ofArray(new int[1]));
  }

  @Override
  public void close() {
    device.close();
  }
}

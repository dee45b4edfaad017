package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.format.ElementType;
import io.rigmesh.worker.format.ModelWeight;
import io.rigmesh.worker.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Brings weights to the device: the bytes of the files as they are, which the device widens, looks
/// through for NaN and infinity, quantises or transposes. Of matrices the host touches no element.
///
/// The device's memory is filled in the order of its one queue, so no weight waits for another: the
/// host reads the disk into pinned memory while the bus carries what was read before and the device
/// works on what came before that. Only [#done] waits. It, or with very many weights one of the
/// others, throws [io.rigmesh.worker.kernels.NonFiniteException] when a weight holds NaN or
/// infinity.
final class WeightUpload {
  private static final int THREADS = 256;
  private static final int CHECK_BLOCKS = 1024;
  private static final int TRANSPOSE_TILE = 32;
  private static final List<String> FAULTS = List.of("reading weights");

  private final Accelerator device;
  private final long fault;
  private final Staging staging;
  private final LoadProgress progress;
  private final long bytesTotal;
  private final List<Launch> unchecked = new ArrayList<>();
  private long bytesLoaded;
  private int rowsThere;

  /// Device memory through which weights pass, of no use once they are loaded.
  ///
  /// @param address of the bytes
  /// @param bytes how many; a row of the widest weight must fit
  /// @param rows a 32-bit word
  record Staging(long address, long bytes, long rows) {
    private static final long BYTES = 64L << 20;

    /// How many bytes weights need.
    static long bytesFor(Collection<ModelWeight> weights) {
      long widestRow = 0;
      long largest = 0;
      for (ModelWeight weight : weights) {
        long rowBytes = (long) weight.shape().getLast() * weight.type().bytes();
        widestRow = Math.max(widestRow, rowBytes);
        largest = Math.max(largest, weight.bytes().byteSize());
      }
      return Math.max(widestRow, Math.min(BYTES, largest));
    }

    static Staging take(Arena arena, long bytes) {
      return new Staging(arena.take(bytes), bytes, arena.takeWords(1));
    }
  }

  /// @param fault the fault word, which holds [LaunchPlan#NO_FAULT]
  /// @param bytesTotal how many bytes there are to load, for `progress`
  WeightUpload(
      Accelerator device, long fault, Staging staging, long bytesTotal, LoadProgress progress) {
    this.device = device;
    this.fault = fault;
    this.staging = staging;
    this.bytesTotal = bytesTotal;
    this.progress = progress;
  }

  /// Weights that were joined to one matrix, one below the other.
  void matrix(DeviceMatrix target, List<ModelWeight> parts) {
    int first = 0;
    for (ModelWeight part : parts) {
      int rows = part.shape().getFirst();
      long rowBytes = (long) target.depth() * part.type().bytes();
      int chunk = (int) Math.min(rows, staging.bytes() / rowBytes);
      for (int row = 0; row < rows; row += chunk) {
        int count = Math.min(chunk, rows - row);
        MemorySegment bytes = part.bytes().asSlice(row * rowBytes, count * rowBytes);
        device.write(staging.address(), bytes);
        String what = part.name() + ", rows from " + row;
        run(
            target.profile() == Profile.I8_V1
                ? quantise(what, part.type(), target, first + row, count)
                : transpose(what, part.type(), target, first + row, count));
        if (target.profile() == Profile.F32_V1) {
          run(checkFinite(what, part.type(), staging.address(), (long) count * target.depth(), 0));
        }
        loaded(bytes.byteSize());
      }
      first += rows;
    }
  }

  private Launch quantise(
      String what, ElementType type, DeviceMatrix target, int firstRow, int rows) {
    if (rows != rowsThere) {
      device.write(staging.rows(), MemorySegment.ofArray(new int[] {rows}));
      rowsThere = rows;
    }
    long elements = (long) rows * target.depth();
    return new Launch(
        what,
        "quantise_rows_" + suffix(type),
        rows,
        1,
        1,
        THREADS,
        0,
        new Arguments()
            .at(staging.address())
            .ints(target.depth())
            .at(
                target.address() + (long) firstRow * target.pitch(),
                target.scales() + 4L * firstRow)
            .ints(target.pitch())
            .at(staging.rows())
            .ints(target.depth())
            .at(fault)
            .ints(nextFault())
            .list(),
        FAULTS,
        Work.moving(elements * type.bytes(), elements));
  }

  private Launch transpose(
      String what, ElementType type, DeviceMatrix target, int firstColumn, int columns) {
    long elements = (long) columns * target.depth();
    return new Launch(
        what,
        "transpose_" + suffix(type),
        LinearLaunch.pieces(target.depth(), TRANSPOSE_TILE),
        LinearLaunch.pieces(columns, TRANSPOSE_TILE),
        1,
        THREADS,
        0,
        new Arguments()
            .at(staging.address(), target.address() + 4L * firstColumn)
            .ints(columns, target.depth(), target.pitch())
            .list(),
        List.of(),
        Work.moving(elements * type.bytes(), 4 * elements));
  }

  private Launch checkFinite(
      String what, ElementType type, long address, long elements, int first) {
    return new Launch(
        what,
        "check_finite_" + suffix(type),
        Math.clamp((elements + THREADS - 1) / THREADS, 1, CHECK_BLOCKS),
        1,
        1,
        THREADS,
        0,
        List.of(
            new Argument.Address(address),
            new Argument.Int64(elements),
            new Argument.Int32(first),
            new Argument.Address(fault),
            new Argument.Int32(nextFault())),
        FAULTS,
        Work.moving(elements * type.bytes(), 0));
  }

  /// A table that stays as the file has it.
  void copy(ModelWeight weight, long address) {
    device.write(address, weight.bytes());
    run(checkFinite(weight.name(), weight.type(), address, weight.elements(), 0));
    loaded(weight.bytes().byteSize());
  }

  /// A vector or a small table, widened to binary32.
  void vector(ModelWeight weight, long address) {
    write(address, weight.read());
    loaded(weight.bytes().byteSize());
  }

  /// Vectors that the model has or has not, one behind the other.
  void vectors(List<Optional<ModelWeight>> weights, long address) {
    long at = address;
    for (Optional<ModelWeight> weight : weights) {
      if (weight.isPresent()) {
        vector(weight.get(), at);
        at += 4L * weight.get().elements();
      }
    }
  }

  /// Brings a tensor as it is, which counts as no weight.
  void write(long address, Tensor tensor) {
    device.write(
        address,
        MemorySegment.ofArray(tensor.data())
            .asSlice((long) tensor.offset() * Float.BYTES, (long) tensor.size() * Float.BYTES));
  }

  /// Asks for a launch and leaves its fault word for [#check]: to read it would wait for the
  /// device, while neither the disk nor the bus had anything to do.
  private void run(Launch launch) {
    device.run(new LaunchPlan(launch.what(), List.of(launch)));
    unchecked.add(launch);
    if (unchecked.size() == LaunchPlan.LAUNCHES_MAX) {
      check();
    }
  }

  /// The first fault number of the next launch, so that all that are not checked yet can be told
  /// apart.
  private int nextFault() {
    return unchecked.size() * LaunchPlan.FAULTS_PER_LAUNCH;
  }

  /// Waits for all launches and throws what the first of them found.
  private void check() {
    if (unchecked.isEmpty()) {
      return;
    }
    LaunchPlan plan = new LaunchPlan("loading weights", unchecked);
    unchecked.clear();
    MemorySegment word = MemorySegment.ofArray(new long[1]);
    device.read(fault, word);
    plan.check(word.get(ValueLayout.JAVA_LONG, 0));
  }

  /// Waits until everything is there, and says so.
  void done() {
    check();
    progress.loaded(bytesTotal, bytesTotal);
  }

  private void loaded(long bytes) {
    bytesLoaded += bytes;
    progress.loaded(Math.min(bytesLoaded, bytesTotal), bytesTotal);
  }

  private static String suffix(ElementType type) {
    return type.name().toLowerCase(Locale.ROOT);
  }
}

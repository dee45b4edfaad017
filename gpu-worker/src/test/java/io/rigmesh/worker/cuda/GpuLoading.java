package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.format.ElementType;
import io.rigmesh.worker.format.ModelFolder;
import io.rigmesh.worker.format.ModelWeight;
import io.rigmesh.worker.format.SafetensorsWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/// Loading of weights: from a file that the system has just written, and so has in memory, beside
/// what the bus carries at most.
final class GpuLoading {
  private static final int WEIGHTS = 3;
  private static final int CARRIES = 5;

  private GpuLoading() {}

  /// The bytes per second that the bus carries from pinned memory.
  static double bus(CudaAccelerator device) {
    long bytes = 1L << 30;
    long target = device.allocate(bytes);
    MemorySegment word = MemorySegment.ofArray(new int[1]);
    double best = 0;
    for (int i = 0; i < CARRIES; i++) {
      device.read(target, word);
      long start = System.nanoTime();
      long carried = device.carry(target, bytes);
      device.read(target, word);
      best = Math.max(best, carried * 1e9 / (System.nanoTime() - start));
    }
    device.free(target);
    return best;
  }

  /// The bytes of bf16 per second that are read, brought and quantised or transposed.
  ///
  /// @param rows of each of a few weights
  /// @param columns of them
  static double load(Accelerator device, Profile profile, int rows, int columns) {
    try {
      Path folder = Files.createTempDirectory("rigmesh-gpu-load-");
      Path file = folder.resolve("model.safetensors");
      Path config = folder.resolve("config.json");
      try {
        write(file, rows, columns);
        Files.writeString(config, "{}");
        try (ModelFolder model = ModelFolder.open(folder)) {
          return load(device, profile, model, rows, columns);
        }
      } finally {
        Files.deleteIfExists(file);
        Files.deleteIfExists(config);
        Files.delete(folder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("weights to load cannot be written", e);
    }
  }

  private static void write(Path file, int rows, int columns) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(2 * rows * columns).order(ByteOrder.LITTLE_ENDIAN);
    Random random = new Random(5);
    while (bytes.hasRemaining()) {
      bytes.putShort((short) (Float.floatToRawIntBits(random.nextFloat() - 0.5f) >>> 16));
    }
    bytes.flip();
    SafetensorsWriter writer = new SafetensorsWriter();
    for (int i = 0; i < WEIGHTS; i++) {
      writer.add("w" + i, ElementType.BF16, bytes.duplicate(), rows, columns);
    }
    writer.write(file);
  }

  private static double load(
      Accelerator device, Profile profile, ModelFolder model, int rows, int columns) {
    List<ModelWeight> weights =
        IntStream.range(0, WEIGHTS)
            .mapToObj(i -> ModelWeight.stored(model, "w" + i, "w" + i, rows, columns))
            .toList();
    long bytes = weights.stream().mapToLong(weight -> weight.bytes().byteSize()).sum();
    Arena measuring = Arena.measuring();
    take(measuring, profile, weights);
    long memory = device.allocate(measuring.used());
    try {
      Target target = take(new Arena(memory, measuring.used()), profile, weights);
      double best = 0;
      for (int round = 0; round < WEIGHTS; round++) {
        device.write(target.fault(), MemorySegment.ofArray(new long[] {LaunchPlan.NO_FAULT}));
        long start = System.nanoTime();
        WeightUpload upload =
            new WeightUpload(device, target.fault(), target.staging(), bytes, (done, total) -> {});
        for (int i = 0; i < WEIGHTS; i++) {
          upload.matrix(target.matrices().get(i), List.of(weights.get(i)));
        }
        upload.done();
        best = Math.max(best, bytes * 1e9 / (System.nanoTime() - start));
      }
      return best;
    } finally {
      device.free(memory);
    }
  }

  private record Target(List<DeviceMatrix> matrices, WeightUpload.Staging staging, long fault) {}

  private static Target take(Arena arena, Profile profile, List<ModelWeight> weights) {
    return new Target(
        weights.stream()
            .map(weight ->
                DeviceMatrix.take(
                    arena, profile, weight.shape().getFirst(), weight.shape().getLast()))
            .toList(),
        WeightUpload.Staging.take(arena, WeightUpload.Staging.bytesFor(weights)),
        arena.take(Long.BYTES));
  }
}

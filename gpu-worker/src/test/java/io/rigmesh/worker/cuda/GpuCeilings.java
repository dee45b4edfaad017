package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.cuda.LinearLaunch.Mode;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// Measures what a device can do at most: copy, multiply and add binary32 numbers, multiply bytes
/// on the tensor cores; and how much of the binary32 ceiling the ordered product reaches.
final class GpuCeilings {
  private static final long COPY_BYTES = 2L << 30;
  private static final int STEPS = 4_096;
  private static final int BLOCKS_PER_MULTIPROCESSOR = 16;
  private static final int THREADS = 256;
  private static final int SIZE = 4_096;
  private static final int ROUNDS = 9;
  private static final double MATMUL_BAR = 0.60;

  private final CudaAccelerator device;
  private final int blocks;

  private GpuCeilings(CudaAccelerator device) {
    this.device = device;
    this.blocks = device.architecture().multiprocessors() * BLOCKS_PER_MULTIPROCESSOR;
  }

  /// Measures, and writes the figures down.
  static GpuRates measure(CudaAccelerator device, GpuFigures figures) {
    GpuCeilings ceilings = new GpuCeilings(device);
    double bytes = ceilings.copy();
    double float32 = ceilings.float32();
    double mma = device.architecture().hasInt8Tiles() ? ceilings.mma() : float32;
    double int8 = device.architecture().hasWarpGroupProducts() ? ceilings.wgmma() : mma;
    figures.figure("copy within the device", bytes / 1e12, "TB/s", "", 0, 0);
    figures.figure("fp32 multiply-add", float32 / 1e12, "TFLOP/s", "", 0, 0);
    figures.figure("int8 mma.sync", mma / 1e12, "TOP/s", "", 0, 0);
    figures.figure("int8 at most", int8 / 1e12, "TOP/s", "", 0, 0);
    figures.figure(
        "f32-v1 product, 4096 cubed",
        matmul(device, SIZE, ROUNDS) / 1e12,
        "TFLOP/s",
        "the fp32 ceiling",
        float32 / 1e12,
        MATMUL_BAR);
    return new GpuRates("measured on this device", bytes, float32, int8);
  }

  private double copy() {
    long from = device.allocate(COPY_BYTES);
    long to = device.allocate(COPY_BYTES);
    return 2.0
        * COPY_BYTES
        / seconds(device, from, 8, ROUNDS, () -> device.copy(from, to, COPY_BYTES));
  }

  private double float32() {
    long y = device.allocate(4L * blocks * THREADS);
    LaunchPlan plan =
        plan("peak_f32", new Arguments().at(y).real(0.75f).real(1.5f).ints(STEPS).list());
    return 2.0
        * 16
        * STEPS
        * blocks
        * THREADS
        / seconds(device, y, 4, ROUNDS, () -> device.run(plan));
  }

  private double mma() {
    return int8("peak_i8", 2.0 * 16 * 8 * 32 * 8 * STEPS * blocks * (THREADS / 32));
  }

  /// Hopper's own instruction, which reaches more than the one that all devices since Ampere have.
  private double wgmma() {
    return int8("peak_i8_wgmma", 2.0 * 64 * 256 * 32 * STEPS * blocks * (THREADS / 128));
  }

  private double int8(String entry, double operations) {
    long y = device.allocate(4L * blocks * THREADS);
    LaunchPlan plan = plan(entry, new Arguments().at(y).ints(-3, 5, STEPS).list());
    return operations / seconds(device, y, 4, ROUNDS, () -> device.run(plan));
  }

  /// The operations per second of a product of square matrices, of numbers that are not zero.
  static double matmul(Accelerator device, int size, int rounds) {
    Arena measuring = Arena.measuring();
    DeviceMatrix.take(measuring, Profile.F32_V1, size, size);
    Arena arena = new Arena(device.allocate(measuring.used()), measuring.used());
    DeviceMatrix weight = DeviceMatrix.take(arena, Profile.F32_V1, size, size);
    long x = device.allocate(4L * size * size);
    long y = device.allocate(4L * size * size);
    long words = device.allocate(256);
    float[] numbers = new float[size * size];
    Random random = new Random(3);
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = random.nextFloat() - 0.5f;
    }
    device.write(x, MemorySegment.ofArray(numbers));
    device.write(weight.address(), MemorySegment.ofArray(numbers));
    device.write(words, MemorySegment.ofArray(new long[] {LaunchPlan.NO_FAULT, size}));
    Launch launch =
        LinearLaunch.of(
            new LinearLaunch.Use("product", weight, 0, x, 0, y, words + 8, size, Mode.PLAIN),
            device.architecture(),
            words,
            0);
    LaunchPlan plan = new LaunchPlan("product", List.of(launch));
    double seconds = seconds(device, y, 4, rounds, () -> device.run(plan));
    requireProduct(device, y, numbers, size);
    return plan.operations(Work.Unit.FLOAT32) / seconds;
  }

  /// What was timed is a product: some elements are about what double precision gives.
  private static void requireProduct(Accelerator device, long y, float[] numbers, int size) {
    float[] row = new float[size];
    device.read(y + 4L * size * (size - 1), MemorySegment.ofArray(row));
    for (int column = 0; column < size; column += 1 + size / 16) {
      double sum = 0;
      double magnitude = 0;
      for (int k = 0; k < size; k++) {
        // The weight lies transposed.
        double product = (double) numbers[(size - 1) * size + k] * numbers[k * size + column];
        sum += product;
        magnitude += Math.abs(product);
      }
      if (!(Math.abs(row[column] - sum) <= 1e-5 * magnitude)) {
        throw new AssertionError(
            "the product's column %d is %s, not %s".formatted(column, row[column], sum));
      }
    }
  }

  private LaunchPlan plan(String entry, List<Argument> arguments) {
    return new LaunchPlan(
        entry,
        List.of(
            new Launch(
                entry,
                entry,
                blocks,
                1,
                1,
                THREADS,
                0,
                arguments,
                List.of(),
                Work.moving(0, 4L * blocks * THREADS))));
  }

  /// The median time of one of `repeats`, ended by reading a word of the result.
  private static double seconds(
      Accelerator device, long result, int repeats, int rounds, Runnable work) {
    MemorySegment word = MemorySegment.ofArray(new int[1]);
    double[] seconds = new double[rounds];
    for (int round = -2; round < rounds; round++) {
      device.read(result, word);
      long start = System.nanoTime();
      for (int i = 0; i < repeats; i++) {
        work.run();
      }
      device.read(result, word);
      if (round >= 0) {
        seconds[round] = (System.nanoTime() - start) / 1e9 / repeats;
      }
    }
    Arrays.sort(seconds);
    return seconds[rounds / 2];
  }
}

package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.cuda.LinearLaunch.Mode;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// Measures what a device can do at most: copy, multiply and add binary32 numbers, multiply bytes
/// on the tensor cores; and how much of the binary32 ceiling the ordered product reaches.
final class GpuCeilings {
  private static final long COPY_BYTES = 2L << 30;
  private static final int STEPS = 4_096;
  private static final int BLOCKS_PER_MULTIPROCESSOR = 16;
  private static final int THREADS = 256;
  private static final int SIZE = 4_096;
  private static final int ROUNDS = 9;

  private final CudaAccelerator device;
  private final int blocks;

  /// What takes the three rates, per second.
  @FunctionalInterface
  interface Rates<T> {
    T of(double bytes, double float32, double int8);
  }

  private GpuCeilings(CudaAccelerator device) {
    this.device = device;
    this.blocks = device.architecture().multiprocessors() * BLOCKS_PER_MULTIPROCESSOR;
  }

  /// Measures and prints.
  static <T> T measure(CudaAccelerator device, Rates<T> rates) {
    GpuCeilings ceilings = new GpuCeilings(device);
    double bytes = ceilings.copy();
    double float32 = ceilings.float32();
    double int8 = device.architecture().hasInt8Tiles() ? ceilings.int8() : float32;
    double matmul = ceilings.matmul();
    System.out.printf("%nCeilings of %s, %s:%n", device.name(), device.architecture());
    System.out.printf("copy within the device %12.2f TB/s%n", bytes / 1e12);
    System.out.printf("fp32 multiply-add      %12.1f TFLOP/s%n", float32 / 1e12);
    System.out.printf("int8 mma.sync          %12.1f TOP/s%n", int8 / 1e12);
    System.out.printf(
        "f32-v1 product, %d   %12.1f TFLOP/s, %.0f%% of the ceiling (bar 60%%)%n",
        SIZE, matmul / 1e12, 100 * matmul / float32);
    return rates.of(bytes, float32, int8);
  }

  private double copy() {
    long from = device.allocate(COPY_BYTES);
    long to = device.allocate(COPY_BYTES);
    return 2.0 * COPY_BYTES / seconds(from, 8, () -> device.copy(from, to, COPY_BYTES));
  }

  private double float32() {
    long y = device.allocate(4L * blocks * THREADS);
    LaunchPlan plan =
        plan("peak_f32", new Arguments().at(y).real(0.75f).real(1.5f).ints(STEPS).list());
    return 2.0 * 16 * STEPS * blocks * THREADS / seconds(y, 4, () -> device.run(plan));
  }

  private double int8() {
    long y = device.allocate(4L * blocks * THREADS);
    LaunchPlan plan = plan("peak_i8", new Arguments().at(y).ints(-3, 5, STEPS).list());
    double operations = 2.0 * 16 * 8 * 32 * 8 * STEPS * blocks * (THREADS / 32);
    return operations / seconds(y, 4, () -> device.run(plan));
  }

  /// A product of three square matrices' sizes, on numbers that are not zero.
  private double matmul() {
    Arena measuring = Arena.measuring();
    DeviceMatrix.take(measuring, Profile.F32_V1, SIZE, SIZE);
    Arena arena = new Arena(device.allocate(measuring.used()), measuring.used());
    DeviceMatrix weight = DeviceMatrix.take(arena, Profile.F32_V1, SIZE, SIZE);
    long x = device.allocate(4L * SIZE * SIZE);
    long y = device.allocate(4L * SIZE * SIZE);
    long words = device.allocate(256);
    float[] numbers = new float[SIZE * SIZE];
    java.util.Random random = new java.util.Random(3);
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = random.nextFloat() - 0.5f;
    }
    device.write(x, MemorySegment.ofArray(numbers));
    device.write(weight.address(), MemorySegment.ofArray(numbers));
    device.write(words, MemorySegment.ofArray(new long[] {LaunchPlan.NO_FAULT, SIZE}));
    Launch launch =
        LinearLaunch.of(
            new LinearLaunch.Use("product", weight, 0, x, 0, y, words + 8, SIZE, Mode.PLAIN),
            device.architecture(),
            words,
            0);
    LaunchPlan plan = new LaunchPlan("product", List.of(launch));
    return plan.operations(Work.Unit.FLOAT32) / seconds(y, 4, () -> device.run(plan));
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
  private double seconds(long result, int repeats, Runnable work) {
    MemorySegment word = MemorySegment.ofArray(new int[1]);
    double[] seconds = new double[ROUNDS];
    for (int round = -2; round < ROUNDS; round++) {
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
    return seconds[ROUNDS / 2];
  }
}

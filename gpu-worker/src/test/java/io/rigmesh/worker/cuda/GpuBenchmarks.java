package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.device.Device;
import io.rigmesh.worker.device.Devices;
import io.rigmesh.worker.format.ElementType;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.serve.Segment;
import io.rigmesh.worker.serve.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// What `scripts/bench.sh gpu` runs. Counts what the launch plans of known model shapes must move
/// and compute, and reports every kernel's resources; where a GPU is at hand, measures its
/// ceilings, then the same steps, beside the floor that counting implies.
public final class GpuBenchmarks {
  private static final int CONTEXT = 1_024;
  private static final int PREFILL = 512;
  private static final int BATCH = 64;
  private static final int PAGE = 32;
  private static final int ROUNDS = 7;

  private GpuBenchmarks() {}

  /// The rates that floors are computed from.
  ///
  /// @param source measured here, or assumed and from where
  private record Ceilings(
      String source, double bytesPerSecond, double float32PerSecond, double int8PerSecond) {
    /// For an H200, from the design notes: copy and fp32 as once measured, int8 by the datasheet.
    static final Ceilings H200 =
        new Ceilings("assumed, for an H200 (nothing measured)", 4.3e12, 60e12, 1_979e12);

    /// The seconds below which no implementation gets: every weight, and every key and value that
    /// is seen, read once; the operations of the plan at the ceilings of their units.
    double floor(LaunchPlan plan, long bytes) {
      double memory = bytes / bytesPerSecond;
      double arithmetic =
          plan.operations(Work.Unit.FLOAT32) / float32PerSecond
              + plan.operations(Work.Unit.INT8) / int8PerSecond;
      return Math.max(memory, arithmetic);
    }
  }

  /// A kind of step that is counted and timed.
  private record Workload(String name, StepShape shape, int tokens, double bar) {
    static List<Workload> all() {
      return List.of(
          new Workload("decode, batch 1", new StepShape(1, 1, 0, 1, CONTEXT), 1, 0.70),
          new Workload(
              "decode, batch 64", new StepShape(BATCH, BATCH, 0, BATCH, CONTEXT), BATCH, 0.50),
          new Workload(
              "prefill 512", new StepShape(PREFILL, 0, PREFILL / 16, 1, PREFILL), PREFILL, 0.50));
    }

    /// The weights, and the keys and values of earlier positions.
    long bytes(LlamaConfig config, Profile profile) {
      long head = (long) config.vocabularySize() * config.hiddenSize();
      long weights = config.parameterCount() - (config.tiedHead() ? 0 : head);
      long cached = shape.tiles() > 0 ? 0 : (long) shape.rows() * shape.context();
      return weights * (profile == Profile.I8_V1 ? 1 : Float.BYTES)
          + cached * 2 * config.keyCols() * config.layers() * Float.BYTES;
    }

    Step step() {
      if (shape.tiles() > 0) {
        return new Step(tokenIds(PREFILL), List.of(segment(0, 0, PREFILL, 0)));
      }
      List<Segment> segments = new ArrayList<>();
      for (int row = 0; row < shape.rows(); row++) {
        segments.add(segment(row, row, 1, CONTEXT - 1));
      }
      return new Step(tokenIds(shape.rows()), segments);
    }

    private static Segment segment(int sequence, int firstRow, int rows, int firstPosition) {
      int[] pages = new int[CONTEXT / PAGE];
      Arrays.setAll(pages, page -> sequence * pages.length + page);
      return new Segment(firstRow, rows, firstPosition, pages, 1);
    }

    private static int[] tokenIds(int count) {
      int[] ids = new int[count];
      Arrays.setAll(ids, i -> (i * 7_919 + 13) % 128_000);
      return ids;
    }
  }

  /// The entry point.
  public static void main(String[] arguments) {
    resources();
    Optional<Device.Cuda> device =
        Devices.list().stream()
            .filter(Device.Cuda.class::isInstance)
            .map(Device.Cuda.class::cast)
            .findFirst();
    if (device.isEmpty()) {
      System.out.printf(
          "%nNo CUDA device is at hand, so nothing is measured. On a machine with one,%n"
              + "    scripts/gpu-check.sh%n"
              + "checks the device's bits and measures it, and scripts/bench.sh gpu measures alone.%n");
      counted(Architecture.HOPPER, Ceilings.H200);
      GpuEmbeddings.counted(Architecture.HOPPER, Ceilings.H200::floor);
      return;
    }
    Ceilings known;
    try (CudaAccelerator accelerator =
        (CudaAccelerator) Devices.openAccelerator(device.get().id())) {
      Ceilings ceilings = GpuCeilings.measure(accelerator, GpuBenchmarks::ceilings);
      counted(accelerator.architecture(), ceilings);
      GpuEmbeddings.counted(accelerator.architecture(), ceilings::floor);
      known = ceilings;
    }
    // Measuring the ceilings took memory, which is given back by now.
    measured(device.get(), known);
    GpuEmbeddings.measured(device.get(), known::floor);
  }

  private static Ceilings ceilings(double bytes, double float32, double int8) {
    return new Ceilings("measured on this device", bytes, float32, int8);
  }

  private static void resources() {
    PtxManifest manifest = PtxManifest.load();
    System.out.printf("Kernels, by %s:%n", manifest.compiler());
    System.out.printf(
        "%-24s %-12s %-8s %9s %7s %7s %7s%n",
        "kernel", "for", "machine", "registers", "spills", "stack", "shared");
    for (PtxManifest.Module module : manifest.modules()) {
      for (PtxManifest.Kernel kernel : module.kernels()) {
        System.out.printf(
            "%-24s %-12s %-8s %9d %7d %7d %7d%n",
            kernel.entry(),
            module.architecture(),
            module.machine(),
            kernel.registers(),
            kernel.spillStoreBytes() + kernel.spillLoadBytes(),
            kernel.stackBytes(),
            kernel.sharedBytes());
      }
    }
  }

  private static void counted(Architecture architecture, Ceilings ceilings) {
    System.out.printf(
        "%nCounted, for %s. Floors from %.2f TB/s, %.1f TFLOP/s fp32, %.0f TOP/s int8, %s:%n",
        architecture,
        ceilings.bytesPerSecond() / 1e12,
        ceilings.float32PerSecond() / 1e12,
        ceilings.int8PerSecond() / 1e12,
        ceilings.source());
    System.out.printf(
        "%-14s %-7s %-17s %8s %11s %11s %11s %12s%n",
        "model", "profile", "step", "launches", "MB", "GOP int8", "GFLOP", "tokens/s");
    models()
        .forEach((name, config) -> {
          for (Profile profile : Profile.values()) {
            for (Workload workload : Workload.all()) {
              LaunchPlan plan =
                  CudaStepRunner.plan(config, profile, sizes(), workload.shape(), architecture);
              System.out.printf(
                  "%-14s %-7s %-17s %8d %11.1f %11.1f %11.1f %12.0f%n",
                  name,
                  profile.id(),
                  workload.name(),
                  plan.launches().size(),
                  plan.bytes() / 1e6,
                  plan.operations(Work.Unit.INT8) / 1e9,
                  plan.operations(Work.Unit.FLOAT32) / 1e9,
                  workload.tokens() / ceilings.floor(plan, workload.bytes(config, profile)));
            }
          }
        });
  }

  private static void measured(Device.Cuda device, Ceilings ceilings) {
    System.out.printf(
        "%nMeasured on %s, driver for CUDA %s:%n", device.name(), device.driverVersion());
    System.out.printf(
        "%-14s %-7s %-17s %12s %12s %9s %5s%n",
        "model", "profile", "step", "tokens/s", "floor's", "of floor", "bar");
    models()
        .forEach((name, config) -> {
          for (Profile profile : Profile.values()) {
            // Each model gets the whole device.
            try (Accelerator accelerator = Devices.openAccelerator(device.id());
                CudaStepRunner runner =
                    new CudaStepRunner(
                        accelerator,
                        config,
                        profile,
                        sizes(),
                        new CudaStepRunner.Source(ElementType.BF16, 1),
                        (model, memory, staging) -> RandomWeights.fill(accelerator, model))) {
              for (Workload workload : Workload.all()) {
                LaunchPlan plan =
                    CudaStepRunner.plan(
                        config, profile, sizes(), workload.shape(), accelerator.architecture());
                double seconds = seconds(runner, workload.step());
                double floor = ceilings.floor(plan, workload.bytes(config, profile));
                System.out.printf(
                    "%-14s %-7s %-17s %12.0f %12.0f %8.0f%% %4.0f%%%n",
                    name,
                    profile.id(),
                    workload.name(),
                    workload.tokens() / seconds,
                    workload.tokens() / floor,
                    100 * floor / seconds,
                    100 * (profile == Profile.I8_V1 ? workload.bar() : 0));
              }
            } catch (CudaException e) {
              // A smaller device holds some of the models only.
              System.out.printf(
                  "%-14s %-7s not measured: %s%n", name, profile.id(), e.getMessage());
            }
          }
        });
  }

  /// The median time of a step, the reading of its results included.
  private static double seconds(CudaStepRunner runner, Step step) {
    return seconds(() -> {
      // The model must have computed something, or the time is of nothing.
      if (runner.run(step).argmax().length != step.outputs()) {
        throw new AssertionError("a step gave too few results");
      }
    });
  }

  /// The median time of one of a few runs, after the first have warmed what there is to warm.
  static double seconds(Runnable work) {
    double[] seconds = new double[ROUNDS];
    int repeats = 10;
    for (int round = -2; round < ROUNDS; round++) {
      long start = System.nanoTime();
      for (int i = 0; i < repeats; i++) {
        work.run();
      }
      if (round >= 0) {
        seconds[round] = (System.nanoTime() - start) / 1e9 / repeats;
      }
    }
    Arrays.sort(seconds);
    return seconds[ROUNDS / 2];
  }

  private static CudaStepRunner.Sizes sizes() {
    return new CudaStepRunner.Sizes(BATCH * CONTEXT / PAGE, PREFILL, BATCH);
  }

  private static Map<String, LlamaConfig> models() {
    return new TreeMap<>(
        Map.of("Llama-3.2-1B", GpuShapes.LLAMA_1B, "Llama-3.1-8B", GpuShapes.LLAMA_8B));
  }
}

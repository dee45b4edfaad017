package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.device.Device;
import io.rigmesh.worker.device.Devices;
import io.rigmesh.worker.format.ElementType;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.CpuBackend;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.serve.Step;
import io.rigmesh.worker.serve.StepOutput;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/// What `scripts/bench.sh gpu` runs. Counts what the launch plans of known model shapes must move
/// and compute, and reports every kernel's resources; where a GPU is at hand, measures its
/// ceilings, then the same steps beside the floor that counting implies, generations through the
/// engine with and without receipts, the check of one, and loading.
public final class GpuBenchmarks {
  private static final int ROUNDS = 7;
  private static final int REPEATS = 10;
  private static final int LOAD_ROWS = 16_384;
  private static final int LOAD_COLUMNS = 16_384;

  /// What of a generation's speed must be left with receipts, which may cost 2%.
  private static final double RECEIPTS_BAR = 0.98;

  private static final GpuWorkload.Scale SCALE = GpuWorkload.Scale.FULL;

  private GpuBenchmarks() {}

  /// One argument, or none: a file to which the figures are added as lines for [GpuVerdicts].
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
      counted(Architecture.HOPPER, GpuRates.H200);
      GpuEmbeddings.counted(Architecture.HOPPER, GpuRates.H200);
      return;
    }
    GpuFigures figures =
        new GpuFigures(
            arguments.length == 0 ? Optional.empty() : Optional.of(Path.of(arguments[0])));
    GpuRates known;
    try (CudaAccelerator accelerator =
        (CudaAccelerator) Devices.openAccelerator(device.get().id())) {
      System.out.printf(
          "%n%s, %s, driver for CUDA %s%n",
          accelerator.name(), accelerator.architecture(), device.get().driverVersion());
      GpuRates rates = GpuCeilings.measure(accelerator, figures);
      counted(accelerator.architecture(), rates);
      GpuEmbeddings.counted(accelerator.architecture(), rates);
      known = rates;
    }
    // Measuring the ceilings took memory, which is given back by now.
    measured(device.get(), known, figures);
    GpuEmbeddings.measured(device.get(), known, figures);
    try (CudaAccelerator accelerator =
        (CudaAccelerator) Devices.openAccelerator(device.get().id())) {
      loaded(accelerator, figures);
    }
    if (arguments.length == 0) {
      System.out.println();
      GpuVerdicts.of(figures.lines()).table(false).forEach(System.out::println);
    }
  }

  private static void resources() {
    PtxManifest manifest = PtxManifest.load();
    System.out.printf("Kernels, by %s:%n", manifest.compiler());
    System.out.printf(
        "%-26s %-12s %-8s %9s %7s %7s %7s %9s%n",
        "kernel", "for", "machine", "registers", "spills", "stack", "shared", "launch's");
    Map<String, Integer> added = sharedBytesOfLaunches();
    for (PtxManifest.Module module : manifest.modules()) {
      for (PtxManifest.Kernel kernel : module.kernels()) {
        System.out.printf(
            "%-26s %-12s %-8s %9d %7d %7d %7d %9s%n",
            kernel.entry(),
            module.architecture(),
            module.machine(),
            kernel.registers(),
            kernel.spillStoreBytes() + kernel.spillLoadBytes(),
            kernel.stackBytes(),
            kernel.sharedBytes(),
            added.containsKey(kernel.entry()) ? "" + added.get(kernel.entry()) : "-");
      }
    }
  }

  /// The most shared memory that a launch adds to each kernel's own, among all that is counted
  /// here, on devices of every kind.
  static Map<String, Integer> sharedBytesOfLaunches() {
    Map<String, Integer> most = new TreeMap<>();
    for (Architecture architecture :
        List.of(Architecture.LEAST, new Architecture(8, 0, 108, 163 << 10), Architecture.HOPPER)) {
      for (Profile profile : Profile.values()) {
        Stream.concat(
                GpuEmbeddings.plans(profile, architecture),
                models().values().stream()
                    .flatMap(config ->
                        GpuWorkload.all(SCALE).stream()
                            .map(workload ->
                                CudaStepRunner.plan(
                                    config,
                                    profile,
                                    SCALE.sizes(),
                                    workload.shape(),
                                    architecture))))
            .flatMap(plan -> plan.launches().stream())
            .forEach(launch -> most.merge(launch.entry(), launch.sharedBytes(), Math::max));
      }
    }
    return most;
  }

  private static void counted(Architecture architecture, GpuRates rates) {
    System.out.printf(
        "%nCounted, for %s. Floors from %.2f TB/s, %.1f TFLOP/s fp32, %.0f TOP/s int8, %s:%n",
        architecture,
        rates.bytes() / 1e12,
        rates.float32() / 1e12,
        rates.int8() / 1e12,
        rates.source());
    System.out.printf(
        "%-14s %-7s %-17s %8s %11s %11s %11s %12s%n",
        "model", "profile", "step", "launches", "MB", "GOP int8", "GFLOP", "tokens/s");
    models()
        .forEach((name, config) -> {
          for (Profile profile : Profile.values()) {
            for (GpuWorkload workload : GpuWorkload.all(SCALE)) {
              LaunchPlan plan =
                  CudaStepRunner.plan(
                      config, profile, SCALE.sizes(), workload.shape(), architecture);
              System.out.printf(
                  "%-14s %-7s %-17s %8d %11.1f %11.1f %11.1f %12.0f%n",
                  name,
                  profile.id(),
                  workload.name(),
                  plan.launches().size(),
                  plan.bytes() / 1e6,
                  plan.operations(Work.Unit.INT8) / 1e9,
                  plan.operations(Work.Unit.FLOAT32) / 1e9,
                  workload.tokens() / rates.floor(plan, workload.bytes(config, profile)));
            }
          }
        });
  }

  private static void measured(Device.Cuda device, GpuRates rates, GpuFigures figures) {
    models()
        .forEach((model, config) -> {
          for (Profile profile : Profile.values()) {
            String name = model + " " + profile.id();
            // Each model gets the whole device.
            try (Accelerator accelerator = Devices.openAccelerator(device.id());
                Kernels host = CpuBackend.open(Runtime.getRuntime().availableProcessors())) {
              CudaStepRunner runner = random(accelerator, config, profile, SCALE);
              steps(name, runner, SCALE, accelerator.architecture(), rates, ROUNDS, figures);
              // Closes the runner.
              try (GpuServing serving =
                  new GpuServing(runner, host, SCALE.batch(), GpuServing.Length.FULL)) {
                serving.receipts(name, 1, RECEIPTS_BAR, figures);
                if (profile == Profile.I8_V1) {
                  serving.receipts(name, SCALE.batch(), RECEIPTS_BAR, figures);
                }
                serving.verify(name, figures);
              }
            } catch (CudaException e) {
              // A smaller device holds some of the models only.
              figures.notRun(name, String.valueOf(e.getMessage()));
            }
          }
        });
  }

  /// A model of random weights.
  static CudaStepRunner random(
      Accelerator device, LlamaConfig config, Profile profile, GpuWorkload.Scale scale) {
    return new CudaStepRunner(
        device,
        config,
        profile,
        scale.sizes(),
        new CudaStepRunner.Source(ElementType.BF16, 1),
        (model, memory, staging) -> RandomWeights.fill(device, model));
  }

  /// Times steps by themselves: input to the device, launches, results to the host.
  ///
  /// @param rounds of which the median is taken; one is a trial
  static void steps(
      String name,
      CudaStepRunner runner,
      GpuWorkload.Scale scale,
      Architecture architecture,
      GpuRates rates,
      int rounds,
      GpuFigures figures) {
    LlamaConfig config = runner.config();
    for (GpuWorkload workload : GpuWorkload.all(scale)) {
      LaunchPlan plan =
          CudaStepRunner.plan(
              config, runner.profile(), scale.sizes(), workload.shape(), architecture);
      double seconds = seconds(runner, workload.step(config.vocabularySize()), rounds);
      figures.figure(
          name + " " + workload.name(),
          workload.tokens() / seconds,
          "tokens/s",
          "floor",
          workload.tokens() / rates.floor(plan, workload.bytes(config, runner.profile())),
          runner.profile() == Profile.I8_V1 ? workload.bar() : 0);
    }
  }

  private static void loaded(CudaAccelerator device, GpuFigures figures) {
    double bus = GpuLoading.bus(device);
    figures.figure("bus, host to device", bus / 1e9, "GB/s", "", 0, 0);
    for (Profile profile : Profile.values()) {
      figures.figure(
          "loading bf16 weights as " + profile.id(),
          GpuLoading.load(device, profile, LOAD_ROWS, LOAD_COLUMNS) / 1e9,
          "GB/s",
          "the bus",
          bus / 1e9,
          0);
    }
  }

  /// The median time of a step, the reading of its results included.
  private static double seconds(CudaStepRunner runner, Step step, int rounds) {
    Runnable work =
        () -> {
          StepOutput output = runner.run(step);
          // The model must have computed something, or the time is of nothing.
          if (output.argmax().length != step.outputs()
              || !Float.isFinite(output.hidden().get(0))
              || output.hidden().get(0) == 0) {
            throw new AssertionError("a step gave too few results, or none of a model");
          }
        };
    return seconds(work, rounds);
  }

  /// The median time of one of a few runs, after the first have warmed what there is to warm.
  static double seconds(Runnable work) {
    return seconds(work, ROUNDS);
  }

  private static double seconds(Runnable work, int rounds) {
    double[] seconds = new double[rounds];
    int repeats = rounds == 1 ? 1 : REPEATS;
    for (int round = -2; round < rounds; round++) {
      long start = System.nanoTime();
      for (int i = 0; i < repeats; i++) {
        work.run();
      }
      if (round >= 0) {
        seconds[round] = (System.nanoTime() - start) / 1e9 / repeats;
      }
    }
    Arrays.sort(seconds);
    return seconds[rounds / 2];
  }

  private static Map<String, LlamaConfig> models() {
    return new TreeMap<>(
        Map.of("Llama-3.2-1B", GpuShapes.LLAMA_1B, "Llama-3.1-8B", GpuShapes.LLAMA_8B));
  }
}

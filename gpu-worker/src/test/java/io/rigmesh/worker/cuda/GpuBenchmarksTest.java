package io.rigmesh.worker.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.serve.Step;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What measures a GPU, on one that is interpreted: the figures mean nothing, but all is run.
final class GpuBenchmarksTest {
  private static final LlamaConfig TINY =
      new LlamaConfig(
          37, 8, 1, 2, 1, 4, 12, 96, 10_000, 1e-5f, true, OptionalInt.empty(), List.of());
  private static final GpuWorkload.Scale SCALE = new GpuWorkload.Scale(40, 2, 20);

  @ParameterizedTest
  @EnumSource
  void everyFigureOfAModelIsTaken(Profile profile) {
    GpuFigures figures = new GpuFigures(Optional.empty());
    try (InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER);
        Kernels host = new ScalarKernels()) {
      CudaStepRunner runner = GpuBenchmarks.random(device, TINY, profile, SCALE);
      GpuBenchmarks.steps("tiny", runner, SCALE, Architecture.HOPPER, GpuRates.H200, 1, figures);
      try (GpuServing serving =
          new GpuServing(runner, host, SCALE.batch(), new GpuServing.Length(5, 4, 1))) {
        serving.receipts("tiny", 2, 0.98, figures);
        serving.verify("tiny", figures);
      }
    }
    assertThat(figures.lines().stream().map(line -> line.split("\t")[1]))
        .containsExactly(
            "tiny decode, batch 1",
            "tiny decode, batch 2",
            "tiny prefill 20",
            "tiny generation with receipts, batch 2",
            "tiny verify");
    assertThat(GpuVerdicts.of(figures.lines()).table(false)).hasSize(6);
  }

  /// A floor of another shape than that of the step that is timed would be wrong.
  @Test
  void whatIsCountedIsWhatRuns() {
    for (GpuWorkload workload : GpuWorkload.all(GpuWorkload.Scale.FULL)) {
      Step step = workload.step(GpuShapes.LLAMA_8B.vocabularySize());
      StepMemory.Limits limits = new StepMemory.Limits(2_048, 512, 64, 65_536, true);
      StepInput input =
          new StepInput(
              new StepMemory.Input(0, limits),
              GpuShapes.LLAMA_8B.headLayout(),
              Architecture.HOPPER);
      assertThat(input.write(step).byteSize()).isPositive();
      assertThat(input.shape(step)).as(workload.name()).isEqualTo(workload.shape());
      assertThat(step.rows()).isEqualTo(workload.tokens());
      assertThat(step.segments()).allMatch(segment -> segment.endPosition() <= 1_024);
      assertThat(step.segments().stream().flatMapToInt(s -> Arrays.stream(s.pageTable())))
          .doesNotHaveDuplicates()
          .allMatch(page -> page < 2_048);
    }
  }

  @Test
  void theSharedMemoryThatLaunchesAddIsReported() {
    assertThat(GpuBenchmarks.sharedBytesOfLaunches())
        .containsEntry("linear_i8_wgmma_128x256", 196_608)
        .containsEntry("linear_i8_mma_128x128", 65_536)
        .allSatisfy((kernel, bytes) ->
            assertThat(bytes).as(kernel).isBetween(0, Architecture.HOPPER.sharedBytesMax()));
  }

  @Test
  void theFloorIsTheLargerOfMemoryAndArithmetic() {
    LaunchPlan plan =
        CudaStepRunner.plan(
            GpuShapes.LLAMA_1B,
            Profile.I8_V1,
            GpuWorkload.Scale.FULL.sizes(),
            GpuWorkload.all(GpuWorkload.Scale.FULL).getFirst().shape(),
            Architecture.HOPPER);
    assertThat(new GpuRates("slow memory", 1e9, 1e18, 1e18).floor(plan, 5_000_000_000L))
        .isEqualTo(5);
    assertThat(new GpuRates("slow arithmetic", 1e18, 1e18, 1e9).floor(plan, 1))
        .isCloseTo(2.5, Percentage.withPercentage(3));
  }

  @Test
  void aProductIsTimedAndChecked() {
    try (InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER)) {
      assertThat(GpuCeilings.matmul(device, 20, 1)).isPositive();
    }
  }

  @ParameterizedTest
  @EnumSource
  void loadingIsTimed(Profile profile) {
    try (InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER)) {
      assertThat(GpuLoading.load(device, profile, 40, 24)).isPositive();
    }
  }
}

package io.rigmesh.worker.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.cuda.Architecture;
import io.rigmesh.worker.cuda.CudaStepRunner;
import io.rigmesh.worker.cuda.InterpretedAccelerator;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.serve.CpuStepRunner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The committed rows are what the scalar reference gives, and the runners of this machine give
/// them under every schedule.
class StepSuiteTest {
  private static final Path FILE =
      Path.of("src/main/resources/io/rigmesh/worker/conformance/steps.json");

  @Test
  void theFileIsWhatTheScalarReferenceGives() throws IOException {
    List<StepVectors> planned = StepPlan.vectors();
    if (Boolean.getBoolean("rigmesh.conformance.write")) {
      Files.writeString(FILE, StepPlan.json(planned));
    }
    assertThat(Files.readString(FILE)).isEqualTo(StepPlan.json(planned));
  }

  @Test
  void theVectorBackendPassesUnderEverySchedule() {
    List<Outcome> outcomes = new ArrayList<>();
    try (Kernels vector = new VectorKernels(2)) {
      StepSuite.load()
          .run(
              (weights, profile) ->
                  new CpuStepRunner(
                      vector,
                      weights,
                      profile,
                      new CpuStepRunner.Sizes(
                          StepSuite.PAGES, StepSuite.ROWS_MAX, StepSuite.ROWS_MAX)),
              StepSuite.Extent.FULL,
              outcomes::add);
    }
    assertThat(outcomes.stream().filter(o -> o.problem().isPresent())).isEmpty();
    assertThat(outcomes).hasSizeGreaterThan(400);
  }

  @Test
  void theInterpretedKernelsPass() {
    InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER);
    List<Outcome> outcomes = new ArrayList<>();
    int failed =
        StepSuite.load()
            .run(
                (weights, profile) ->
                    new CudaStepRunner(
                        device,
                        weights,
                        profile,
                        new CudaStepRunner.Sizes(
                            StepSuite.PAGES, StepSuite.ROWS_MAX, StepSuite.ROWS_MAX),
                        (bytes, bytesTotal) -> {}),
                StepSuite.Extent.SHORT,
                outcomes::add);
    assertThat(outcomes.stream().filter(o -> o.problem().isPresent())).isEmpty();
    assertThat(failed).isZero();
    assertThat(outcomes).hasSizeGreaterThan(20);
  }
}

package io.rigmesh.worker.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.rigmesh.worker.conformance.Outcome;
import io.rigmesh.worker.conformance.StepSuite;
import io.rigmesh.worker.device.Devices;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The same steps on the machine's own GPU; skipped where there is none.
@Tag("gpu")
final class CudaStepRunnerGpuTest extends StepRunnerContract {
  @BeforeEach
  void aGpuIsAtHand() {
    assumeTrue(
        Devices.list().stream().anyMatch(device -> device.id().equals("cuda:0")),
        "no CUDA device is at hand");
  }

  /// The kernels of other architectures are chosen, too: newer devices run older PTX.
  @Override
  Accelerator open(Architecture architecture) {
    return new AccelerationAs(Devices.openAccelerator("cuda:0"), architecture);
  }

  @Test
  void theConformanceSuitePassesUnderEverySchedule() {
    List<Outcome> outcomes = new ArrayList<>();
    try (Accelerator device = Devices.openAccelerator("cuda:0")) {
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
              StepSuite.Extent.FULL,
              outcomes::add);
    }
    assertThat(outcomes.stream().filter(outcome -> outcome.problem().isPresent())).isEmpty();
    assertThat(outcomes).hasSizeGreaterThan(400);
  }
}

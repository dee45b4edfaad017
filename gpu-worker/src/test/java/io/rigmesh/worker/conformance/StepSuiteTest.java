package io.rigmesh.worker.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Profile;
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
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
    List<Outcome> outcomes = interpreted(Architecture.HOPPER, StepSuite.Extent.SHORT);
    assertThat(outcomes).hasSizeGreaterThan(20);
  }

  /// Invariant I2 of the kernels: batches of 1 to 9 whose neighbours change, every layout of pages,
  /// every cut of a text.
  @Test
  void theInterpretedKernelsPassInEveryCompanyLayoutAndCut() {
    List<Outcome> outcomes = interpreted(Architecture.HOPPER, StepSuite.Extent.SMALLEST_MODEL);
    for (Profile profile : Profile.values()) {
      List<String> titles =
          outcomes.stream().map(Outcome::title).filter(t -> t.contains(profile.id())).toList();
      assertThat(titles).hasSize(3 * 2 + 5 + 9 + 1);
      assertThat(titles.stream().filter(t -> t.contains("batch of"))).hasSize(9);
      assertThat(titles.stream().filter(t -> t.contains("split at"))).hasSize(5);
      assertThat(titles.stream().filter(t -> t.contains("prefill of"))).hasSize(3);
    }
  }

  /// Everything, on devices that choose different kernels. It takes many minutes, so it runs only
  /// with `-Drigmesh.conformance.full=true`.
  @ParameterizedTest
  @CsvSource({"9, 0", "8, 6", "7, 5"})
  @EnabledIfSystemProperty(named = "rigmesh.conformance.full", matches = "true")
  void theInterpretedKernelsPassUnderEverySchedule(int major, int minor) {
    List<Outcome> outcomes =
        interpreted(new Architecture(major, minor, 20, 64 << 10), StepSuite.Extent.FULL);
    assertThat(outcomes).hasSizeGreaterThan(400);
  }

  private static List<Outcome> interpreted(Architecture architecture, StepSuite.Extent extent) {
    InterpretedAccelerator device = new InterpretedAccelerator(architecture);
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
                extent,
                outcomes::add);
    assertThat(outcomes.stream().filter(o -> o.problem().isPresent())).isEmpty();
    assertThat(failed).isZero();
    return outcomes;
  }
}

package io.rigmesh.worker.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.cuda.Architecture;
import io.rigmesh.worker.cuda.CudaBertRunner;
import io.rigmesh.worker.cuda.InterpretedAccelerator;
import io.rigmesh.worker.embed.CpuBertRunner;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The committed rows and vectors of encoders are what the scalar reference gives, and the runners
/// of this machine give them in every company.
class BertSuiteTest {
  private static final Path FILE =
      Path.of("src/main/resources/io/rigmesh/worker/conformance/bert.json");

  @Test
  void theFileIsWhatTheScalarReferenceGives() throws IOException {
    String planned = BertPlan.json(BertPlan.vectors());
    if (Boolean.getBoolean("rigmesh.conformance.write")) {
      Files.writeString(FILE, planned);
    }
    assertThat(Files.readString(FILE)).isEqualTo(planned);
  }

  @Test
  void theVectorBackendPassesInEveryCompany() {
    List<Outcome> outcomes = new ArrayList<>();
    try (Kernels vector = new VectorKernels(2)) {
      BertSuite.load()
          .run(
              (weights, profile) -> new CpuBertRunner(weights, vector, profile, BertSuite.ROWS_MAX),
              StepSuite.Extent.FULL,
              outcomes::add);
    }
    assertThat(outcomes.stream().filter(o -> o.problem().isPresent())).isEmpty();
    assertThat(outcomes).hasSizeGreaterThan(80);
  }

  @Test
  void theInterpretedKernelsPass() {
    InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER);
    List<Outcome> outcomes = new ArrayList<>();
    int failed =
        BertSuite.load()
            .run(
                (weights, profile) ->
                    new CudaBertRunner(
                        device, weights, profile, BertSuite.ROWS_MAX, (bytes, bytesTotal) -> {}),
                StepSuite.Extent.SHORT,
                outcomes::add);
    assertThat(outcomes.stream().filter(o -> o.problem().isPresent())).isEmpty();
    assertThat(failed).isZero();
    assertThat(outcomes).hasSize(6);
  }
}

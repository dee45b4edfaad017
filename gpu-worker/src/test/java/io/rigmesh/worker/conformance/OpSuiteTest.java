package io.rigmesh.worker.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// The committed vectors are what the reference gives, and every backend of this machine passes.
///
/// `-Drigmesh.conformance.write=true` writes the file anew; a changed line of a released profile is
/// a mistake.
class OpSuiteTest {
  private static final Path FILE =
      Path.of("src/main/resources/io/rigmesh/worker/conformance/ops.jsonl");

  @Test
  void theFileIsWhatTheScalarReferenceGives() throws IOException {
    List<OpVector> planned = OpPlan.vectors();
    if (Boolean.getBoolean("rigmesh.conformance.write")) {
      Files.createDirectories(FILE.getParent());
      Files.writeString(
          FILE, planned.stream().map(OpVector::line).collect(Collectors.joining("\n", "", "\n")));
    }
    assertThat(OpSuite.load().vectors()).isEqualTo(planned);
  }

  @Test
  void everyOperationHasVectors() {
    assertThat(OpSuite.load().vectors().stream().map(OpVector::op).distinct())
        .containsExactlyInAnyOrderElementsOf(OpCatalogue.names());
  }

  @Test
  void theVectorBackendPasses() {
    try (Kernels vector = new VectorKernels(2)) {
      assertThat(problems(vector)).isEmpty();
    }
  }

  @Test
  void aWrongBitIsFound() {
    OpVector real = OpSuite.load().vectors().getFirst();
    try (Kernels scalar = new ScalarKernels()) {
      OpVector other =
          OpSuite.compute(
              scalar,
              "tanh",
              real.profile(),
              real.kind(),
              real.seed(),
              java.util.Map.of("rows", 1, "cols", 1));
      assertThat(other).isNotEqualTo(real);
    }
  }

  private static List<Outcome> problems(Kernels kernels) {
    List<Outcome> problems = new ArrayList<>();
    OpSuite.load()
        .run(
            kernels,
            outcome -> {
              if (outcome.problem().isPresent()) {
                problems.add(outcome);
              }
            });
    return problems;
  }
}

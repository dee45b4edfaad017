package io.rigmesh.worker.conformance;

import io.rigmesh.worker.generate.SamplingParameters;
import io.rigmesh.worker.generate.TokenHistory;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;

/// The golden vectors of sampling that end in tokens, for kernels that choose tokens and are no
/// backend of the suite.
public final class SampleVectors {
  /// A vector.
  ///
  /// @param title for reports
  /// @param logits a row for every token that is chosen
  /// @param firstPosition of the first row's token; each row's is one more
  /// @param golden the hash of the tokens
  public record Sample(
      String title,
      Tensor logits,
      SamplingParameters parameters,
      TokenHistory history,
      int firstPosition,
      String golden) {
    /// Whether these are the tokens.
    public boolean gives(int[] tokens) {
      return new OpResults().add(tokens).sha256().equals(golden);
    }
  }

  private SampleVectors() {}

  /// All of them.
  public static List<Sample> all() {
    return OpSuite.load().vectors().stream()
        .filter(vector -> vector.op().equals("sample") && vector.results().isPresent())
        .map(SampleVectors::of)
        .toList();
  }

  private static Sample of(OpVector vector) {
    GenerationOps.Draws draws =
        GenerationOps.Draws.of(vector, new ConformanceInputs(vector.kind(), vector.seed()));
    return new Sample(
        vector.title(),
        draws.logits(),
        draws.parameters(),
        draws.history(),
        draws.firstPosition(),
        vector.results().orElseThrow());
  }
}

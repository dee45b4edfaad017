package io.rigmesh.worker.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

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

  /// An operation of [Kernels] one bit of whose results is wrong.
  ///
  /// @param found the operations of the suite that are no other than this one
  /// @param touched those that use it, where a wrong bit may be rounded away
  record Fault(String method, List<String> found, List<String> touched) {
    static Fault of(String method, String... found) {
      return new Fault(method, found.length == 0 ? List.of(method) : List.of(found), List.of());
    }

    Fault touching(String... ops) {
      return new Fault(method, found, List.of(ops));
    }
  }

  static Stream<Fault> faults() {
    return Stream.of(
        Fault.of("linear", "linear", "linearWithBias"),
        Fault.of("linearInputGradient"),
        Fault.of("linearWeightGradient"),
        Fault.of("biasGradient"),
        Fault.of("add"),
        Fault.of("addBias"),
        Fault.of("scale").touching("sample"),
        Fault.of("gelu"),
        Fault.of("tanh"),
        Fault.of("swiglu"),
        Fault.of("swigluBackward"),
        Fault.of("embedding"),
        Fault.of("embeddingGradient"),
        Fault.of("adamW"),
        Fault.of("softmax").touching("sample"),
        Fault.of("rmsNorm"),
        Fault.of("rmsNormBackward"),
        Fault.of("layerNorm"),
        Fault.of("argmax").touching("sample", "logprob"),
        Fault.of("laneSum"),
        Fault.of("laneSumOfSquares").touching("poolMean", "poolFirst", "poolLast"),
        Fault.of("gradientNorm", "globalNorm"),
        Fault.of("crossEntropyBackward", "crossEntropy"),
        Fault.of("rope"),
        Fault.of("ropeBackward"),
        Fault.of("attention", "attention", "attentionBidirectional").touching("attentionBackward"),
        Fault.of("attentionBackward"));
  }

  /// Vectors that end in NaN or infinity have no result in which a bit could be wrong.
  @ParameterizedTest
  @MethodSource("faults")
  void aWrongBitIsFoundInEveryVectorOfItsOperationAndNowhereElse(Fault fault) {
    List<OpVector> run =
        OpSuite.load().vectors().stream()
            .filter(vector -> fault.found().contains(vector.op()) || isSmall(vector))
            .toList();
    for (int result = 0; result < FlippedKernels.results(fault.method()); result++) {
      Kernels kernels = FlippedKernels.of(fault.method(), result);
      List<OpVector> found =
          run.stream()
              .filter(vector -> OpSuite.run(kernels, vector).problem().isPresent())
              .filter(vector -> !fault.touched().contains(vector.op()))
              .toList();
      assertThat(found)
          .isNotEmpty()
          .isEqualTo(
              run.stream()
                  .filter(vector -> fault.found().contains(vector.op()) && vector.fault().isEmpty())
                  .toList());
    }
  }

  /// What is run besides an operation's own vectors; a training uses nearly every operation.
  private static boolean isSmall(OpVector vector) {
    return !vector.op().equals("training")
        && vector.sizes().values().stream().allMatch(size -> size <= 700);
  }

  /// What takes no part in [Kernels]: a vector is told from one with another token, or from one
  /// whose number is one unit in the last place off.
  @Test
  void resultsThatDifferInOneBitHaveDifferentHashes() {
    float value = 0.1f;
    assertThat(new OpResults().add(value).sha256())
        .isNotEqualTo(new OpResults().add(Math.nextUp(value)).sha256());
    assertThat(new OpResults().add(new int[] {4, 5}).sha256())
        .isNotEqualTo(new OpResults().add(new int[] {4, 4}).sha256());
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

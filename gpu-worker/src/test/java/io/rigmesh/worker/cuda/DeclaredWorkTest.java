package io.rigmesh.worker.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaParameters;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.ptx.LaunchCounts;
import io.rigmesh.worker.serve.Segment;
import io.rigmesh.worker.serve.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a plan declares that its launches move is what the kernels are seen to touch: the floors
/// that speeds are compared with are counted from it.
final class DeclaredWorkTest {
  /// Wide enough for what is not declared, such as page tables, to be little.
  private static final LlamaConfig CONFIG =
      new LlamaConfig(
          300, 160, 1, 4, 2, 32, 192, 1024, 10_000, 1e-5f, false, OptionalInt.empty(), List.of());

  private static final int SEQUENCES = 4;
  private static final int PAGES = 32;

  /// The share of a launch's bytes by which its declaration may be wrong.
  private static final double OF_A_LAUNCH = 0.05;

  /// What no launch declares: gains of norms, numbers of rows, page tables, maxima of pieces.
  private static final int UNDECLARED_BYTES = 2048;

  private static final double OF_A_STEP = 0.02;

  /// Steps that end at position 1023, so that all that a plan is for is there; keys before the
  /// step's are what the memory held.
  @ParameterizedTest
  @CsvSource({
    // Six a layer, and the embedding and the head with its norm.
    "I8_V1, 1, 1, 8",
    // Eleven a layer, and the embedding, the norm, the head and its argmax.
    "I8_V1, 4, 1, 15",
    "I8_V1, 1, 64, 14",
    "F32_V1, 1, 1, 15",
    "F32_V1, 1, 64, 13"
  })
  void whatIsDeclaredIsWhatIsTouched(Profile profile, int sequences, int rows, int launches) {
    InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER).countingBytes();
    try (LlamaWeights weights = LlamaWeights.of(LlamaParameters.initial(CONFIG, 5));
        CudaStepRunner runner =
            new CudaStepRunner(
                device,
                weights,
                profile,
                new CudaStepRunner.Sizes(SEQUENCES * PAGES, 64, SEQUENCES),
                (bytes, bytesTotal) -> {})) {
      device.ran().clear();
      List<Segment> segments =
          IntStream.range(0, sequences)
              .mapToObj(i ->
                  new Segment(
                      i * rows,
                      rows,
                      1024 - rows,
                      IntStream.range(i * PAGES, (i + 1) * PAGES).toArray(),
                      1))
              .toList();
      int[] tokens = new int[sequences * rows];
      Arrays.setAll(tokens, row -> 4 * row + 1);
      runner.run(new Step(tokens, segments));
    }
    assertThat(device.ran()).hasSize(launches);
    List<String> wrong = new ArrayList<>();
    long declared = 0;
    long touched = 0;
    for (InterpretedAccelerator.Ran ran : device.ran()) {
      Work work = ran.launch().work();
      LaunchCounts counts = ran.counts();
      if (differ(work.bytesRead(), counts.distinctRead())
          || differ(work.bytesWritten(), counts.distinctWritten())) {
        wrong.add(ran.launch().what() + ": " + work + ", " + counts);
      }
      declared += work.bytes();
      touched += counts.distinctRead() + counts.distinctWritten();
      assertThat(counts.bytesRead()).isGreaterThanOrEqualTo(counts.distinctRead());
    }
    assertThat(wrong).isEmpty();
    assertThat((double) declared).isCloseTo(touched, within(OF_A_STEP * touched));
  }

  private static boolean differ(long declared, long touched) {
    return Math.abs(declared - touched) > UNDECLARED_BYTES + OF_A_LAUNCH * touched;
  }
}

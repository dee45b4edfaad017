package io.rigmesh.worker.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Invariant I2 at the level of one attention call: a position's bits depend on its own sequence
/// alone, not on how the sequence was cut into calls, nor on what else a call holds.
class AttentionInvarianceTest {
  private static final HeadLayout LAYOUT = new HeadLayout(2, 1, 10);
  private static final int LENGTH = 1_100; // more than one split of keys

  private final Tensor q = random(1, LENGTH, LAYOUT.queryCols());
  private final Tensor keys = random(2, LENGTH, LAYOUT.keyCols());
  private final Tensor values = random(3, LENGTH, LAYOUT.keyCols());

  static List<Kernels> backends() {
    return List.of(new ScalarKernels(), new VectorKernels(1), new VectorKernels(2));
  }

  @ParameterizedTest
  @MethodSource("backends")
  void decodingGivesThePrefillsBits(Kernels backend) {
    try (Kernels kernels = backend) {
      Tensor whole = prefill(kernels);
      for (int position : new int[] {0, 1, 7, 31, 32, 500, 1_023, 1_024, 1_099}) {
        Tensor one = Tensor.zeros(1, LAYOUT.queryCols());
        kernels.attention(
            q.rows(position, position + 1),
            keys,
            values,
            LAYOUT,
            List.of(AttentionSpan.cached(0, 1, position + 1)),
            one);
        assertThat(one.toArray())
            .as("position %s", position)
            .containsExactly(whole.rows(position, position + 1).toArray());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void aPromptInPiecesGivesThePrefillsBits(Kernels backend) {
    try (Kernels kernels = backend) {
      Tensor pieces = Tensor.zeros(LENGTH, LAYOUT.queryCols());
      int from = 0;
      for (int to : new int[] {1, 14, 200, 203, 1_025, LENGTH}) {
        kernels.attention(
            q.rows(from, to),
            keys,
            values,
            LAYOUT,
            List.of(AttentionSpan.cached(0, to - from, to)),
            pieces.rows(from, to));
        from = to;
      }
      assertThat(pieces.toArray()).containsExactly(prefill(kernels).toArray());
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void aSequenceInABatchHasItsOwnBits(Kernels backend) {
    try (Kernels kernels = backend) {
      List<AttentionSpan> spans = new ArrayList<>();
      for (int row = 0; row < 90; row += 30) {
        spans.add(AttentionSpan.bidirectional(row, 30, 17 + row / 10));
      }
      Tensor batch = Tensor.zeros(90, LAYOUT.queryCols());
      kernels.attention(q.rows(0, 90), keys, values, LAYOUT, spans, batch);
      for (int row = 0; row < 90; row += 30) {
        Tensor alone = Tensor.zeros(30, LAYOUT.queryCols());
        kernels.attention(
            q.rows(row, row + 30),
            keys.rows(row, row + 30),
            values.rows(row, row + 30),
            LAYOUT,
            List.of(AttentionSpan.bidirectional(0, 30, 17 + row / 10)),
            alone);
        assertThat(alone.toArray()).containsExactly(batch.rows(row, row + 30).toArray());
      }
    }
  }

  private Tensor prefill(Kernels kernels) {
    Tensor out = Tensor.zeros(LENGTH, LAYOUT.queryCols());
    kernels.attention(q, keys, values, LAYOUT, List.of(AttentionSpan.causal(0, LENGTH)), out);
    return out;
  }

  private static Tensor random(long stream, int rows, int cols) {
    Tensor tensor = Tensor.zeros(rows, cols);
    for (int i = 0; i < tensor.size(); i++) {
      tensor.set(i, Philox.gaussian(5, stream, i));
    }
    return tensor;
  }
}

package io.rigmesh.worker.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;
import java.util.function.Consumer;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;

/// Invariant I4: an operation that overflows says so, with its name and where.
class NonFiniteTest {
  private static final int COLS = 37;

  private final Tensor huge = filled(3, 3e38f);
  private final Tensor ones = filled(3, 1f);

  @Test
  void anOverflowingMatrixProductNamesItsFirstBadElement() {
    Tensor x = filled(3, 1f);
    x.set(COLS, 3e38f); // row 1
    Tensor weight = filled(5, 2f);
    everyBackend(k -> k.linear(x, k.pack(weight, Profile.F32_V1), Tensor.zeros(3, 5)), "linear", 5);
    everyBackend(k -> k.linear(x, weight, Tensor.zeros(3, 5)), "linear", 5);
  }

  @Test
  void overflowIsFoundInTheLastElements() {
    Tensor a = filled(3, 1f);
    a.set(3 * COLS - 1, 3e38f);
    everyBackend(k -> k.add(a, huge, Tensor.zeros(3, COLS)), "add", 3 * COLS - 1);
    everyBackend(k -> k.scale(a, 2f, Tensor.zeros(3, COLS)), "scale", 3 * COLS - 1);
  }

  @Test
  void aSumOfSquaresThatWouldVanishInTheNormIsFound() {
    Tensor gain = Tensor.zeros(COLS);
    everyBackend(
        k -> k.rmsNorm(huge, gain, 1e-5f, Tensor.zeros(3, COLS)), "rmsNorm sum of squares", 0);
    everyBackend(k -> k.laneSumOfSquares(huge), "laneSumOfSquares", 0);
  }

  @Test
  void aScoreThatWouldWeighNothingIsFound() {
    HeadLayout layout = new HeadLayout(1, 1, COLS);
    Tensor negative = filled(3, -3e38f);
    List<AttentionSpan> spans = List.of(AttentionSpan.bidirectional(0, 3, 3));
    for (Kernels kernels : backends()) {
      assertThatThrownBy(
              () -> kernels.attention(huge, negative, ones, layout, spans, Tensor.zeros(3, COLS)))
          .isInstanceOf(NonFiniteException.class)
          .hasMessageContaining("attention score");
    }
  }

  @Test
  void scoresOfKeysThatNoQuerySeesDoNotMatter() {
    HeadLayout layout = new HeadLayout(1, 1, COLS);
    Tensor keys = filled(3, 1f);
    keys.rows(2, 3).fill(3e38f);
    Tensor q = filled(3, 1f);
    List<AttentionSpan> spans = List.of(AttentionSpan.bidirectional(0, 3, 2));
    for (Kernels kernels : backends()) {
      Tensor out = Tensor.zeros(3, COLS);
      kernels.attention(q, keys, ones, layout, spans, out);
      assertThat(out.get(0)).isEqualTo(1f);
    }
  }

  @Test
  void weightsFromOutsideAreChecked() {
    Tensor weight = filled(100, 1f);
    weight.set(99 * COLS + 3, Float.NaN);
    everyBackend(
        k -> k.checkFinite("model.norm.weight", weight), "model.norm.weight", 99 * COLS + 3);
  }

  private static List<Kernels> backends() {
    return List.of(new ScalarKernels(), new VectorKernels(1));
  }

  private static void everyBackend(Consumer<Kernels> operation, String op, int index) {
    for (Kernels kernels : backends()) {
      assertThatThrownBy(() -> operation.accept(kernels))
          .asInstanceOf(InstanceOfAssertFactories.type(NonFiniteException.class))
          .satisfies(e -> assertThat(e.op()).isEqualTo(op))
          .satisfies(e -> assertThat(e.index()).isEqualTo(index));
    }
  }

  private static Tensor filled(int rows, float value) {
    Tensor tensor = Tensor.zeros(rows, COLS);
    tensor.fill(value);
    return tensor;
  }
}

package io.rigmesh.worker.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.tensor.Tensor;
import org.junit.jupiter.api.Test;

class LogprobsTest {
  private final Kernels kernels = new ScalarKernels();

  @Test
  void probabilitiesAreThoseOfTheSoftmaxAndTheLikeliestComeFirst() {
    Logprobs logprobs = Logprobs.of(kernels, Tensor.of(new float[] {1f, 3f, 2f, 3f}, 1, 4), 2, 3);
    double total = Math.exp(1) + Math.exp(2) + 2 * Math.exp(3);
    assertThat((double) logprobs.chosen()).isCloseTo(2 - Math.log(total), within(1e-6));
    assertThat(logprobs.likeliest()).extracting(Logprobs.Entry::tokenId).containsExactly(1, 3, 2);
  }

  @Test
  void aLogitTooFarBelowTheLargestIsAnErrorThatNamesItsToken() {
    Tensor logits = Tensor.of(new float[] {0f, 3e38f, -3e38f}, 1, 3);
    assertThat(Logprobs.of(kernels, logits, 1, 2).chosen()).isZero();
    assertThatThrownBy(() -> Logprobs.of(kernels, logits, 2, 0))
        .isInstanceOfSatisfying(
            NonFiniteException.class,
            e -> {
              assertThat(e.op()).isEqualTo("logprob");
              assertThat(e.index()).isEqualTo(2);
            });
  }
}

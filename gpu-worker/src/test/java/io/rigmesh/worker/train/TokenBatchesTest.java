package io.rigmesh.worker.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TokenBatchesTest {
  private static final TrainingPlan PLAN = TrainingPlan.usual(5, 1000, 4, 6, 1e-3);
  private final int[] counting = IntStream.range(0, 200).toArray();

  @Test
  void aWindowIsAPieceOfTheTextAndItsTargetsAreTheNextTokens() {
    TokenBatches batches = new TokenBatches(counting, PLAN);
    int[] inputs = new int[24];
    int[] targets = new int[24];
    batches.fill(3, inputs, targets);
    for (int row = 0; row < 4; row++) {
      for (int t = 0; t < 6; t++) {
        assertThat(inputs[row * 6 + t]).isEqualTo(batches.start(3, row) + t);
        assertThat(targets[row * 6 + t]).isEqualTo(batches.start(3, row) + t + 1);
      }
    }
  }

  @Test
  void anyStepIsRecomputedWithoutThoseBeforeIt() {
    TokenBatches one = new TokenBatches(counting, PLAN);
    TokenBatches other = new TokenBatches(counting, PLAN);
    int[] later = IntStream.range(0, 50).map(step -> one.start(step, 1)).toArray();
    assertThat(other.start(49, 1)).isEqualTo(later[49]);
    assertThat(other.start(7, 1)).isEqualTo(later[7]);
  }

  @Test
  void everyPlaceIsReachedTheLastOneToo() {
    TokenBatches batches = new TokenBatches(IntStream.range(0, 16).toArray(), PLAN);
    Set<Integer> starts = new HashSet<>();
    for (int step = 0; step < 200; step++) {
      for (int row = 0; row < 4; row++) {
        starts.add(batches.start(step, row));
      }
    }
    assertThat(starts).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
  }

  @Test
  void otherSeedsStepsAndRowsGiveOtherWindows() {
    TokenBatches batches = new TokenBatches(new int[1 << 20], PLAN);
    TokenBatches otherSeed =
        new TokenBatches(new int[1 << 20], TrainingPlan.usual(6, 1000, 4, 6, 1e-3));
    assertThat(batches.start(0, 0))
        .isNotEqualTo(batches.start(1, 0))
        .isNotEqualTo(batches.start(0, 1))
        .isNotEqualTo(otherSeed.start(0, 0));
  }

  @Test
  void aTextShorterThanAWindowIsRefused() {
    assertThatThrownBy(() -> new TokenBatches(new int[6], PLAN))
        .hasMessageContaining("6 tokens, but windows of 6 need at least 7");
  }
}

package io.rigmesh.worker.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.tensor.Tensor;
import org.junit.jupiter.api.Test;

class SamplerTest {
  private static final int DRAWS = 20_000;
  private static final TokenHistory NOTHING = TokenHistory.of(new int[0]);

  @Test
  void temperatureZeroTakesTheLargestLogitAndOfEqualOnesTheLowestId() {
    assertThat(token(SamplingParameters.greedy(), 5, 1f, 3f, -2f, 3f)).isEqualTo(1);
  }

  @Test
  void sampledFrequenciesAreTheSoftmaxOfTheLogitsOverTheTemperature() {
    float[] logits = {1f, 2f, 0f, -1f};
    double[] seen = frequencies(new SamplingParameters(2f, 0, 1f, 42), logits);
    double total = 0;
    for (float logit : logits) {
      total += Math.exp(logit / 2.0);
    }
    for (int id = 0; id < logits.length; id++) {
      assertThat(seen[id]).isCloseTo(Math.exp(logits[id] / 2.0) / total, within(0.012));
    }
  }

  @Test
  void topKLeavesTheKMostLikelyAndTiesGoToTheLowestId() {
    double[] seen = frequencies(new SamplingParameters(1f, 2, 1f, 1), 1f, 2f, 0f, 1f);
    double e = Math.E;
    assertThat(seen[0]).isCloseTo(1 / (1 + e), within(0.012));
    assertThat(seen[1]).isCloseTo(e / (1 + e), within(0.012));
    assertThat(seen[2]).isZero();
    assertThat(seen[3]).isZero();
  }

  @Test
  void topPLeavesTheSmallestSetThatReachesTheShare() {
    float[] logits = {ln(0.1), ln(0.5), ln(0.25), ln(0.15)};
    double[] seen = frequencies(new SamplingParameters(1f, 0, 0.7f, 1), logits);
    assertThat(seen[1]).isCloseTo(0.5 / 0.75, within(0.012));
    assertThat(seen[2]).isCloseTo(0.25 / 0.75, within(0.012));
    assertThat(seen[0] + seen[3]).isZero();
    double[] one = frequencies(new SamplingParameters(1f, 0, 0.01f, 1), logits);
    assertThat(one[1]).isEqualTo(1.0);
  }

  @Test
  void topPCountsTheShareOfWhatTopKLeft() {
    float[] logits = {ln(0.1), ln(0.4), ln(0.3), ln(0.2)};
    // Of the two most likely, the first alone has 4/7 of what is left and so reaches one half.
    double[] seen = frequencies(new SamplingParameters(1f, 2, 0.5f, 9), logits);
    assertThat(seen[1]).isEqualTo(1.0);
  }

  @Test
  void negativeAndSignedZeroLogitsAreRankedAsNumbers() {
    assertThat(token(new SamplingParameters(1f, 1, 1f, 3), 0, -5f, -0f, 0f, -1f)).isEqualTo(1);
    assertThat(token(new SamplingParameters(1f, 1, 1f, 3), 0, -5f, -3f, -4f, -7f)).isEqualTo(1);
    assertThat(token(new SamplingParameters(1f, 1, 1f, 3), 0, -5f, 3f, 4f, 2f)).isEqualTo(2);
  }

  @Test
  void aTokenWithoutProbabilityIsNeverChosen() {
    double[] seen = frequencies(new SamplingParameters(1f, 0, 1f, 5), -200f, 0f, -200f);
    assertThat(seen[1]).isEqualTo(1.0);
    double[] ranked = frequencies(new SamplingParameters(1f, 3, 1f, 5), -200f, 0f, -200f);
    assertThat(ranked[1]).isEqualTo(1.0);
  }

  @Test
  void theDrawDependsOnSeedAndPositionAlone() {
    float[] flat = new float[1000];
    SamplingParameters parameters = new SamplingParameters(1f, 0, 1f, 77);
    int first = token(parameters, 10, flat);
    assertThat(token(parameters, 10, flat)).isEqualTo(first);
    assertThat(token(parameters, 11, flat)).isNotEqualTo(first);
    assertThat(token(new SamplingParameters(1f, 0, 1f, 78), 10, flat)).isNotEqualTo(first);
  }

  @Test
  void parametersThatChooseNothingAreRefused() {
    assertThatThrownBy(() -> new SamplingParameters(-1f, 0, 1f, 0))
        .hasMessageContaining("temperature=-1.0");
    assertThatThrownBy(() -> new SamplingParameters(Float.NaN, 0, 1f, 0))
        .hasMessageContaining("temperature=NaN");
    assertThatThrownBy(() -> new SamplingParameters(1e-9f, 0, 1f, 0))
        .hasMessageContaining("temperature=");
    assertThatThrownBy(() -> new SamplingParameters(1f, -1, 1f, 0)).hasMessageContaining("topK=-1");
    assertThatThrownBy(() -> new SamplingParameters(1f, 0, 0f, 0)).hasMessageContaining("topP=0.0");
    assertThatThrownBy(() -> new SamplingParameters(1f, 0, 1.5f, 0))
        .hasMessageContaining("topP=1.5");
  }

  private static double[] frequencies(SamplingParameters parameters, float... logits) {
    Sampler sampler = new Sampler(new ScalarKernels(), logits.length);
    Tensor row = Tensor.of(logits, 1, logits.length);
    double[] seen = new double[logits.length];
    for (int position = 0; position < DRAWS; position++) {
      seen[sampler.token(row, parameters, NOTHING, position)] += 1.0 / DRAWS;
    }
    for (int id = 0; id < seen.length; id++) {
      seen[id] = Math.round(seen[id] * DRAWS) / (double) DRAWS;
    }
    return seen;
  }

  private static int token(SamplingParameters parameters, int position, float... logits) {
    Sampler sampler = new Sampler(new ScalarKernels(), logits.length);
    return sampler.token(Tensor.of(logits, 1, logits.length), parameters, NOTHING, position);
  }

  private static float ln(double p) {
    return (float) Math.log(p);
  }
}

package io.rigmesh.worker.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.rigmesh.worker.kernels.Philox;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.llama.RandomStream;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Map;
import java.util.TreeMap;
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

  @Test
  void minPLeavesOutWhatIsMuchLessLikelyThanTheLikeliest() {
    float[] logits = {ln(0.5), ln(0.3), ln(0.15), ln(0.05)};
    double[] seen = frequencies(withMinP(0.4f, 0), logits);
    assertThat(seen[0]).isCloseTo(0.5 / 0.8, within(0.012));
    assertThat(seen[2] + seen[3]).isZero();
    double[] ranked = frequencies(withMinP(0.4f, 3), logits);
    assertThat(ranked[0]).isCloseTo(0.5 / 0.8, within(0.012));
    assertThat(ranked[2] + ranked[3]).isZero();
  }

  private static SamplingParameters withMinP(float minP, int topK) {
    return new SamplingParameters(
        1f, topK, 1f, minP, SamplingParameters.Penalties.NONE, new TreeMap<>(), 4);
  }

  @Test
  void penaltiesAndBiasChangeTheLogitsOfTheirTokensAlone() {
    TokenHistory history = TokenHistory.of(new int[] {0, 1});
    history.add(2);
    history.add(2);
    float[] logits = {4f, -2f, 5f, 3.5f};
    // 4 / 2, -2 * 2, (5 / 2 - 2 * 0.25) - 1, and 3.5 as it is.
    assertThat(greedy(new SamplingParameters.Penalties(2f, 1f, 0.25f), Map.of(), history, logits))
        .isEqualTo(3);
    assertThat(
            greedy(
                new SamplingParameters.Penalties(2f, 1f, 0.25f),
                Map.of(3, -1.75f),
                history,
                logits))
        .isEqualTo(0);
    assertThat(greedy(new SamplingParameters.Penalties(2f, -9f, 0.25f), Map.of(), history, logits))
        .isEqualTo(2);
    assertThat(greedy(SamplingParameters.Penalties.NONE, Map.of(1, 8f), history, logits))
        .isEqualTo(1);
  }

  private static int greedy(
      SamplingParameters.Penalties penalties,
      Map<Integer, Float> bias,
      TokenHistory history,
      float... logits) {
    SamplingParameters parameters =
        new SamplingParameters(0f, 0, 1f, 0f, penalties, new TreeMap<>(bias), 0);
    return new Sampler(new ScalarKernels(), logits.length)
        .token(Tensor.of(logits, 1, logits.length), parameters, history, 0);
  }

  /// The definition once more, by sums of whole blocks: whoever has those looks for the block
  /// first.
  @Test
  void aLargeVocabularyIsSummedInBlocks() {
    ScalarKernels kernels = new ScalarKernels();
    int size = 3 * 512 + 77;
    float[] logits = new float[size];
    for (int i = 0; i < size; i++) {
      logits[i] = 3 * Philox.gaussian(5, 1, i);
    }
    Tensor row = Tensor.of(logits, 1, size);
    Tensor p = Tensor.zeros(1, size);
    kernels.softmax(row, p);
    Sampler sampler = new Sampler(kernels, size);
    for (int position = 0; position < 300; position++) {
      float u = Philox.uniform(11, RandomStream.SAMPLING.lane(0), position);
      float total = 0f;
      for (int from = 0; from < size; from += 512) {
        total += chain(p, from, Math.min(size, from + 512));
      }
      float before = 0f;
      int block = 0;
      while (before + chain(p, block, Math.min(size, block + 512)) <= u * total) {
        before += chain(p, block, block + 512);
        block += 512;
      }
      int expected = block;
      while (before + chain(p, block, expected + 1) <= u * total) {
        expected++;
      }
      assertThat(sampler.token(row, new SamplingParameters(1f, 0, 1f, 11), NOTHING, position))
          .isEqualTo(expected);
    }
    // A cut that leaves more than the few that are ranked first is the same as one that ranks all.
    SamplingParameters wide = new SamplingParameters(1f, 0, 0.999f, 11);
    SamplingParameters all = new SamplingParameters(1f, size, 0.999f, 11);
    int same = 0;
    for (int position = 0; position < 100; position++) {
      same +=
          sampler.token(row, wide, NOTHING, position) == sampler.token(row, all, NOTHING, position)
              ? 1
              : 0;
    }
    assertThat(same).isGreaterThanOrEqualTo(99);
  }

  private static float chain(Tensor p, int from, int to) {
    float chain = 0f;
    for (int i = from; i < to; i++) {
      chain += p.get(i);
    }
    return chain;
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

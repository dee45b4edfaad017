package io.rigmesh.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KernelsUnderTest;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class LlamaDecoderTest {
  private static final int LENGTH = 37;

  private final LlamaConfig config = LlamaFixtures.odd(true);
  private final LlamaParameters parameters = LlamaFixtures.lively(config, 3);
  private final int[] tokens = LlamaFixtures.tokens(LENGTH, config.vocabularySize(), 4);

  static Stream<Kernels> kernels() {
    return KernelsUnderTest.all();
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void prefillInAnyChunksGivesTheBitsOfDecodingTokenByToken(Kernels kernels) {
    try (kernels) {
      List<int[]> decoded = states(kernels, 1);
      for (int chunkRows : new int[] {2, 5, 16, 36, 37, 40}) {
        assertThat(states(kernels, chunkRows))
            .as("chunks of %d", chunkRows)
            .containsExactlyElementsOf(decoded);
      }
    }
  }

  @Test
  void everyBackendAndThreadCountGivesTheSameHiddenStates() {
    List<int[]> reference = states(new ScalarKernels(), 16);
    KernelsUnderTest.all()
        .forEach(kernels -> {
          try (kernels) {
            assertThat(states(kernels, 16)).as(kernels.name()).containsExactlyElementsOf(reference);
          }
        });
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void logitsOfADecodedSequenceAreThoseOfTheTrainingForwardPass(boolean tiedHead) {
    LlamaConfig model = LlamaFixtures.odd(tiedHead);
    LlamaParameters weights = LlamaFixtures.lively(model, 5);
    try (Kernels kernels = new ScalarKernels()) {
      LlamaLoss loss = new LlamaLoss(kernels, model, 1, LENGTH);
      loss.evaluate(weights, tokens, tokens);
      LlamaDecoder decoder = new LlamaDecoder(kernels, weights, LENGTH, 8);
      KeyValueCache cache = decoder.cache(LENGTH);
      Tensor logits = Tensor.zeros(1, model.vocabularySize());
      for (int i = 0; i < LENGTH; i++) {
        decoder.logits(decoder.append(cache, tokens, i, i + 1), logits);
        assertThat(LlamaFixtures.bits(logits))
            .as("position %d", i)
            .isEqualTo(LlamaFixtures.bits(loss.logits().rows(i, i + 1)));
      }
    }
  }

  @Test
  void aTruncatedCacheContinuesAsIfTheRestHadNeverBeenRead() {
    try (Kernels kernels = new ScalarKernels()) {
      LlamaDecoder decoder = new LlamaDecoder(kernels, parameters, LENGTH, LENGTH);
      KeyValueCache cache = decoder.cache(LENGTH);
      int[] straight = LlamaFixtures.bits(decoder.append(cache, tokens, 0, LENGTH).rows(20, 21));
      cache.truncate(20);
      int[] again = LlamaFixtures.bits(decoder.append(cache, tokens, 20, 21));
      assertThat(again).isEqualTo(straight);
      assertThat(cache.positions()).isEqualTo(21);
      assertThatThrownBy(() -> cache.truncate(22)).hasMessageContaining("21 positions");
    }
  }

  @Test
  void whatDoesNotFitIsRefusedBeforeTheCacheChanges() {
    try (Kernels kernels = new ScalarKernels()) {
      LlamaDecoder decoder = new LlamaDecoder(kernels, parameters, LENGTH, 8);
      KeyValueCache cache = decoder.cache(5);
      decoder.append(cache, tokens, 0, 4);
      assertThatThrownBy(() -> decoder.append(cache, tokens, 4, 6))
          .hasMessageContaining("4 of at most 5 positions");
      assertThatThrownBy(() -> decoder.append(cache, new int[] {97}, 0, 1))
          .hasMessageContaining("Token 0 is 97");
      assertThatThrownBy(() -> decoder.append(cache, new int[] {-1}, 0, 1))
          .hasMessageContaining("Token 0 is -1");
      assertThatThrownBy(() -> decoder.append(cache, tokens, 0, 9)).hasMessageContaining("1 to 8");
      assertThat(cache.positions()).isEqualTo(4);
      assertThatThrownBy(() -> decoder.cache(LENGTH + 1)).hasMessageContaining("1 to 37");
      assertThatThrownBy(() -> new LlamaDecoder(kernels, parameters, 41, 8))
          .hasMessageContaining("1 to 40 positions");
    }
  }

  @Test
  void aCacheSaysTheMemoryItTakes() {
    assertThat(KeyValueCache.bytes(config, 10)).isEqualTo(2L * 2 * 10 * 20 * 4);
  }

  private List<int[]> states(Kernels kernels, int chunkRows) {
    LlamaDecoder decoder = new LlamaDecoder(kernels, parameters, LENGTH, chunkRows);
    KeyValueCache cache = decoder.cache(LENGTH);
    List<int[]> states = new ArrayList<>();
    for (int from = 0; from < LENGTH; from += decoder.chunkRows()) {
      int to = Math.min(LENGTH, from + decoder.chunkRows());
      Tensor rows = decoder.append(cache, tokens, from, to);
      for (int row = 0; row < to - from; row++) {
        states.add(LlamaFixtures.bits(rows.rows(row, row + 1)));
      }
    }
    return states;
  }
}

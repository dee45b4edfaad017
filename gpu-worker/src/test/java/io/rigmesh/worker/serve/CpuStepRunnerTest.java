package io.rigmesh.worker.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KernelsUnderTest;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaFixtures;
import io.rigmesh.worker.llama.LlamaLoss;
import io.rigmesh.worker.llama.LlamaParameters;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CpuStepRunnerTest {
  private static final int LENGTH = 39;

  private final LlamaConfig config = LlamaFixtures.odd(true);
  private final LlamaParameters parameters = LlamaFixtures.lively(config, 3);
  private final int[] tokens = LlamaFixtures.tokens(LENGTH, config.vocabularySize(), 4);

  @ParameterizedTest
  @EnumSource(Profile.class)
  void prefillInAnyChunksGivesTheBitsOfDecodingTokenByTokenOnEveryBackend(Profile profile) {
    List<int[]> decoded;
    try (Kernels scalar = new ScalarKernels()) {
      decoded = Runners.hidden(runner(scalar, profile), tokens, 1);
    }
    KernelsUnderTest.all()
        .forEach(kernels -> {
          try (kernels) {
            StepRunner runner = runner(kernels, profile);
            for (int chunkRows : new int[] {1, 5, 16, 38, 39}) {
              assertThat(Runners.hidden(runner, tokens, chunkRows))
                  .as("%s, chunks of %d", kernels.name(), chunkRows)
                  .containsExactlyElementsOf(decoded);
            }
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
      List<int[]> logits =
          Runners.logits(Runners.cpu(kernels, weights, Profile.F32_V1, 2, 40), tokens, 1);
      for (int i = 0; i < LENGTH; i++) {
        assertThat(logits.get(i))
            .as("position %d", i)
            .isEqualTo(LlamaFixtures.bits(loss.logits().rows(i, i + 1)));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Profile.class)
  void sequencesInOneStepGiveTheBitsThatEachGivesAloneWhateverPagesTheyLieIn(Profile profile) {
    try (Kernels kernels = new VectorKernels(2)) {
      int[] other = LlamaFixtures.tokens(LENGTH, config.vocabularySize(), 9);
      List<int[]> first = Runners.hidden(runner(kernels, profile), tokens, LENGTH);
      List<int[]> second = Runners.hidden(runner(kernels, profile), other, LENGTH);
      StepRunner runner = runner(kernels, profile);
      int[] firstPages = {4, 1};
      int[] secondPages = {0, 3};
      // One is prefilled while the other decodes its last tokens.
      run(runner, other, 0, 30, secondPages);
      List<int[]> rows = new ArrayList<>();
      for (int i = 0; i < 9; i++) {
        int from = i * 4;
        int count = i == 8 ? LENGTH - from : 4;
        int[] ids = Arrays.copyOf(Arrays.copyOfRange(tokens, from, from + count), count + 1);
        ids[count] = other[30 + i];
        StepOutput output =
            runner.run(
                new Step(
                    ids,
                    List.of(
                        new Segment(0, count, from, firstPages, 1),
                        new Segment(count, 1, 30 + i, secondPages, 1))));
        rows.add(LlamaFixtures.bits(output.hidden().rows(0, 1)));
        assertThat(rows.getLast()).isEqualTo(first.get(from + count - 1));
        assertThat(LlamaFixtures.bits(output.hidden().rows(1, 2))).isEqualTo(second.get(30 + i));
      }
    }
  }

  @Test
  void argmaxAndLogitsAreOfTheRowsThatWantAResult() {
    try (Kernels kernels = new ScalarKernels()) {
      List<int[]> all = Runners.logits(runner(kernels, Profile.F32_V1), tokens, LENGTH);
      StepRunner runner = runner(kernels, Profile.F32_V1);
      StepOutput output = runner.run(step(tokens, 0, LENGTH, new int[] {2, 0}, 3));
      assertThat(output.logits().shape()).containsExactly(3, config.vocabularySize());
      assertThat(LlamaFixtures.bits(output.logits().rows(0, 1))).isEqualTo(all.get(LENGTH - 3));
      assertThat(output.argmax()).isEqualTo(kernels.argmax(output.logits()));
      assertThat(output.hidden().shape()).containsExactly(3, config.hiddenSize());
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    try (Kernels kernels = new ScalarKernels()) {
      StepRunner runner = Runners.cpu(kernels, parameters, Profile.F32_V1, 2, 8);
      assertThatThrownBy(() -> run(runner, tokens, 0, 9, new int[] {0}))
          .hasMessageContaining("at most 8 rows");
      assertThatThrownBy(() -> run(runner, new int[] {97}, 0, 1, new int[] {0}))
          .hasMessageContaining("no token 97");
      assertThatThrownBy(() -> run(runner, new int[] {-1}, 0, 1, new int[] {0}))
          .hasMessageContaining("no token -1");
      assertThatThrownBy(() -> run(runner, tokens, 0, 1, new int[] {2}))
          .hasMessageContaining("no page 2");
      assertThatThrownBy(() ->
              runner.run(
                  new Step(new int[] {1}, List.of(new Segment(0, 1, 40, new int[] {0, 1}, 1)))))
          .hasMessageContaining("Position 40");
      assertThatThrownBy(() -> new Step(new int[] {1, 2}, List.of()))
          .hasMessageContaining("0 rows for 2 tokens");
      assertThatThrownBy(() -> new Segment(0, 1, 0, new int[] {0}, 2))
          .hasMessageContaining("2 outputs");
    }
  }

  private StepRunner runner(Kernels kernels, Profile profile) {
    return Runners.cpu(kernels, parameters, profile, 5, 64);
  }

  private static StepOutput run(
      StepRunner runner, int[] tokens, int from, int count, int[] pageTable) {
    return runner.run(step(tokens, from, count, pageTable, 1));
  }

  private static Step step(int[] tokens, int from, int count, int[] pageTable, int outputs) {
    return new Step(
        Arrays.copyOfRange(tokens, from, from + count),
        List.of(new Segment(0, count, from, pageTable, outputs)));
  }
}

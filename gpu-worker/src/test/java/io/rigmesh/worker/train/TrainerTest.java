package io.rigmesh.worker.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.worker.format.JsonField;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KernelsUnderTest;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaFixtures;
import io.rigmesh.worker.llama.TorchOracle;
import io.rigmesh.worker.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TrainerTest {
  @TempDir Path folder;

  static Stream<Kernels> kernels() {
    return KernelsUnderTest.all();
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void everyBackendAndThreadCountTrainsToTheSameBits(Kernels kernels) {
    Trainer reference = trainer(new ScalarKernels(), TrainingFixtures.CONFIG);
    try (kernels) {
      Trainer trainer = trainer(kernels, TrainingFixtures.CONFIG);
      for (int i = 0; i < 6; i++) {
        assertThat(trainer.step()).isEqualTo(reference.step());
      }
      assertSame(trainer.state(), reference.state());
    }
  }

  @Test
  void aRunContinuedFromACheckpointEndsWithTheBitsOfAnUndisturbedOne() {
    LlamaConfig untied = LlamaFixtures.odd(false);
    Trainer undisturbed = trainer(new ScalarKernels(), untied);
    while (!undisturbed.finished()) {
      undisturbed.step();
    }
    Trainer first = trainer(new ScalarKernels(), untied);
    for (int i = 0; i < 7; i++) {
      first.step();
    }
    Path checkpoint = Checkpoint.save(folder, first.state());
    Trainer second =
        new Trainer(
            new ScalarKernels(),
            TrainingFixtures.PLAN,
            Checkpoint.load(checkpoint),
            TrainingFixtures.TOKENS);
    TrainingStep next = second.step();
    assertThat(next.step()).isEqualTo(7);
    while (!second.finished()) {
      second.step();
    }
    assertSame(second.state(), undisturbed.state());
  }

  @Test
  void aStepReportsWhatItDid() {
    Trainer trainer = trainer(new ScalarKernels(), TrainingFixtures.CONFIG);
    TrainingStep step = trainer.step();
    assertThat(step.step()).isZero();
    assertThat(step.tokens()).isEqualTo(33);
    assertThat(step.loss()).isBetween(4.3f, 4.9f); // Near ln 97 = 4.57 before anything is learnt.
    assertThat(step.gradientNorm()).isPositive();
    assertThat(step.learningRate()).isEqualTo(TrainingFixtures.PLAN.learningRate(0));
    assertThat(trainer.state().stepsDone()).isEqualTo(1);
  }

  @Test
  void aFinishedPlanTakesNoMoreSteps() {
    TrainingPlan plan = TrainingPlan.usual(1, 1, 1, 4, 1e-3);
    Trainer trainer =
        new Trainer(
            new ScalarKernels(),
            plan,
            TrainingState.initial(TrainingFixtures.CONFIG, 1),
            TrainingFixtures.TOKENS);
    trainer.step();
    assertThat(trainer.finished()).isTrue();
    assertThatThrownBy(trainer::step).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void twoHundredStepsGiveTheLossCurveOfTorch() throws Exception {
    LlamaConfig config = LlamaFixtures.config(61, 24, 2, 4, 2, 6, 40, 16, true);
    TrainingPlan plan = new TrainingPlan(3, 200, 4, 16, 5e-3, 5e-4, 10, 0.9, 0.95, 1e-8, 0.1, 1f);
    int[] text = LlamaFixtures.learnable(4000, config.vocabularySize(), 31);
    TrainingState state = TrainingState.initial(config, 4);
    state.parameters().write(folder);
    TorchOracle.writeTokens(folder.resolve("tokens.bin"), windows(plan, text));
    TorchPlan.write(plan, folder);
    TorchOracle.run("train", folder);

    Trainer trainer = new Trainer(new ScalarKernels(), plan, state, text);
    List<JsonField> torch = JsonField.read(folder.resolve("losses.json"), 1 << 20).items();
    assertThat(torch).hasSize(200);
    List<Double> relative = new ArrayList<>();
    double last = 0;
    boolean clipped = false;
    while (!trainer.finished()) {
      TrainingStep step = trainer.step();
      double expected = torch.get(step.step()).number(0, 100);
      relative.add(Math.abs(step.loss() - expected) / expected);
      last = step.loss();
      clipped |= step.gradientNorm() > plan.gradientNormMax();
    }
    assertThat(relative).allMatch(difference -> difference < 1e-3);
    assertThat(last).as("the model learns").isLessThan(0.6 * torch.getFirst().number(0, 100));
    assertThat(clipped).as("clipping takes part in the comparison").isTrue();
  }

  @Test
  void tensorsAreEnumeratedInTheOrderOfCommitments() {
    TrainingState state = TrainingState.initial(TrainingFixtures.CONFIG, 1);
    List<String> names = List.copyOf(state.tensors().keySet());
    int parameters = state.parameters().named().size();
    assertThat(names).hasSize(3 * parameters);
    assertThat(names.subList(0, parameters))
        .containsExactlyElementsOf(state.parameters().named().keySet());
    assertThat(names.get(parameters)).isEqualTo("moment1.model.embed_tokens.weight");
    assertThat(names.getLast()).isEqualTo("moment2.model.norm.weight");
  }

  private static int[] windows(TrainingPlan plan, int[] text) {
    TokenBatches batches = new TokenBatches(text, plan);
    int[] windows = new int[plan.steps() * plan.batch() * (plan.length() + 1)];
    int next = 0;
    for (int step = 0; step < plan.steps(); step++) {
      for (int row = 0; row < plan.batch(); row++) {
        System.arraycopy(text, batches.start(step, row), windows, next, plan.length() + 1);
        next += plan.length() + 1;
      }
    }
    return windows;
  }

  private static Trainer trainer(Kernels kernels, LlamaConfig config) {
    return new Trainer(
        kernels, TrainingFixtures.PLAN, TrainingState.initial(config, 2), TrainingFixtures.TOKENS);
  }

  private static void assertSame(TrainingState actual, TrainingState expected) {
    assertThat(actual.stepsDone()).isEqualTo(expected.stepsDone());
    Map<String, Tensor> tensors = new LinkedHashMap<>(actual.tensors());
    assertThat(tensors.keySet()).containsExactlyElementsOf(expected.tensors().keySet());
    tensors.forEach((name, tensor) ->
        assertThat(LlamaFixtures.bits(tensor))
            .as(name)
            .isEqualTo(LlamaFixtures.bits(expected.tensors().get(name))));
  }
}

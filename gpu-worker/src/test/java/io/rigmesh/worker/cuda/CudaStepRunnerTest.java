package io.rigmesh.worker.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.llama.LlamaParameters;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.serve.Segment;
import io.rigmesh.worker.serve.Step;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The launch plans, executed from the shipped PTX by the interpreter.
final class CudaStepRunnerTest extends StepRunnerContract {
  @Override
  Accelerator open(Architecture architecture) {
    return new InterpretedAccelerator(architecture);
  }

  @Test
  void decodesAreRecordedAndPromptsRunInTiles() {
    InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER);
    try (CudaStepRunner runner =
        runner(device, LlamaParameters.initial(CONFIG, 5), Profile.I8_V1)) {
      runner.run(step(segment(0, 17, 0, 1, 3)));
      assertThat(device.replays()).isZero();
      assertThat(device.launched())
          .contains("attention_tiles_64", "linear_i8_mma_64x32")
          .doesNotContain("attention_scores");
      device.launched().clear();
      runner.run(step(segment(0, 1, 17, 1, 3)));
      runner.run(step(segment(0, 1, 18, 1, 3)));
      assertThat(device.replays()).isEqualTo(2);
      assertThat(device.launched())
          .contains("attention_scores", "linear_i8_rows_1")
          .doesNotContain("attention_tiles_64");
    }
  }

  @Test
  void anOverflowNamesItsOperationAndTheNextStepIsClean() {
    LlamaParameters parameters = LlamaParameters.initial(CONFIG, 5);
    parameters.layers().get(1).up().fill(3e38f);
    Segment one = new Segment(0, 1, 0, new int[] {0}, 1);
    Step step = new Step(new int[] {7}, List.of(one));
    try (CudaStepRunner runner =
        runner(new InterpretedAccelerator(Architecture.HOPPER), parameters, Profile.F32_V1)) {
      for (int time = 0; time < 2; time++) {
        assertThatThrownBy(() -> runner.run(step))
            .isInstanceOf(NonFiniteException.class)
            .hasMessageContaining("linear (layer 1 gate and up)");
      }
    }
  }

  @Test
  void weightsThatAreNotFiniteAreRefusedByName() {
    LlamaParameters parameters = LlamaParameters.initial(CONFIG, 5);
    parameters.layers().get(1).key().set(9, Float.NaN);
    InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER);
    assertThatThrownBy(() -> runner(device, parameters, Profile.I8_V1))
        .isInstanceOf(NonFiniteException.class)
        .hasMessageContaining("model.layers.1.self_attn.k_proj.weight")
        .hasMessageContaining("element 9");
  }

  @Test
  void aModelThatDoesNotFitIsRefusedBeforeAnythingIsTaken() {
    InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER);
    LlamaParameters parameters = LlamaParameters.initial(CONFIG, 5);
    assertThatThrownBy(() ->
            new CudaStepRunner(
                device,
                LlamaWeights.of(parameters),
                Profile.I8_V1,
                new CudaStepRunner.Sizes(1 << 20, 4, 4),
                (bytes, bytesTotal) -> {}))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("fewer pages");
  }

  @Test
  void asManyPagesAsFitAreCounted() {
    LlamaWeights weights = LlamaWeights.of(LlamaParameters.initial(CONFIG, 5));
    long bytes = CudaStepRunner.bytes(weights, Profile.I8_V1, new CudaStepRunner.Sizes(40, 8, 8));
    assertThat(CudaStepRunner.pagesFor(weights, Profile.I8_V1, 8, 8, bytes, 1, 1 << 20))
        .isEqualTo(40);
    assertThatThrownBy(() -> CudaStepRunner.pagesFor(weights, Profile.I8_V1, 8, 8, 1000, 1, 9))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("smaller model");
  }

  private static CudaStepRunner runner(
      Accelerator device, LlamaParameters parameters, Profile profile) {
    return new CudaStepRunner(
        device,
        LlamaWeights.of(parameters),
        profile,
        new CudaStepRunner.Sizes(6, 48, 48),
        (bytes, bytesTotal) -> {});
  }
}

package io.rigmesh.worker.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertConfig;
import io.rigmesh.worker.bert.BertWeights;
import io.rigmesh.worker.embed.CpuBertRunner;
import io.rigmesh.worker.embed.MiniLm;
import io.rigmesh.worker.embed.Pooling;
import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// The launch plans of BERT, executed from the shipped PTX by the interpreter.
final class CudaBertRunnerTest extends BertRunnerContract {
  private static final BertConfig MINI_LM =
      new BertConfig(30_522, 384, 6, 12, 1536, 512, 2, 1e-12f);

  @Override
  Accelerator open(Architecture architecture) {
    return new InterpretedAccelerator(architecture);
  }

  @Test
  void passesOfOneShapeAreRecordedOnceAndCopyTheirVectorsAlone() {
    InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER).backwards();
    try (BertWeights weights = weights(CONFIG);
        CudaBertRunner runner = runner(device, weights, Profile.I8_V1)) {
      device.bytesRead().clear();
      runner.pooled(tokens(9, 61), new int[] {4, 5}, Pooling.MEAN, true);
      runner.pooled(tokens(13, 61), new int[] {6, 7}, Pooling.MEAN, true);
      assertThat(device.replays()).isEqualTo(2);
      assertThat(device.bytesRead()).containsOnly(BertMemory.VECTORS_AT + 4 * 2 * 30);
      assertThat(device.launched())
          .contains("attention_spans_64", "layer_norm_i8", "gelu_i8", "pool")
          .doesNotContain("gelu", "layer_norm");
    }
  }

  @Test
  void anOverflowNamesItsOperationAndTheNextPassIsClean() {
    try (BertWeights weights = weights(CONFIG)) {
      weights.layers().get(1).intermediate().weight().read().fill(3e38f);
      try (CudaBertRunner runner =
          runner(new InterpretedAccelerator(Architecture.HOPPER), weights, Profile.F32_V1)) {
        for (int time = 0; time < 2; time++) {
          assertThatThrownBy(() -> runner.pooled(tokens(3, 61), new int[] {3}, Pooling.MEAN, true))
              .isInstanceOf(NonFiniteException.class)
              .hasMessageContaining("linear (layer 1 intermediate)");
        }
      }
    }
  }

  @Test
  void inputsThatTheModelCannotTakeAreRefused() {
    try (BertWeights weights = weights(CONFIG);
        CudaBertRunner runner =
            runner(new InterpretedAccelerator(Architecture.HOPPER), weights, Profile.I8_V1)) {
      assertThatThrownBy(() -> runner.encode(new int[] {61}, new int[] {1}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("token 61");
      assertThatThrownBy(() -> runner.encode(new int[91], new int[] {91}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("91 tokens");
    }
  }

  @Test
  void anEncoderThatDoesNotFitIsRefusedBeforeAnythingIsTaken() {
    try (BertWeights weights = weights(CONFIG)) {
      InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER);
      assertThatThrownBy(() ->
              new CudaBertRunner(
                  device, weights, Profile.I8_V1, 1 << 20, (bytes, bytesTotal) -> {}))
          .isInstanceOf(CudaException.class)
          .hasMessageContaining("tokens in a pass");
    }
  }

  @Test
  void aPassReadsEveryWeightOnceAndHasNineLaunchesALayerAtMost() {
    BertShape shape =
        BertShape.of(
            1000, 32, 8192, java.util.Optional.of(new BertShape.Pooled(Pooling.MEAN, true)));
    assertThat(shape.rows()).isEqualTo(1024);
    LaunchPlan int8 = CudaBertRunner.plan(MINI_LM, Profile.I8_V1, shape, Architecture.HOPPER);
    assertThat(int8.launches()).hasSize(9 * MINI_LM.layers() + 2);
    assertThat(CudaBertRunner.plan(MINI_LM, Profile.F32_V1, shape, Architecture.HOPPER).launches())
        .hasSize(8 * MINI_LM.layers() + 2);
    long weights = 12L * 384 * 384 * MINI_LM.layers();
    assertThat(int8.operations(Work.Unit.INT8)).isEqualTo(2 * weights * shape.rows());
  }

  /// What [CudaBertRunnerGpuTest] asks of a device with a hundred sentences, here with one and a
  /// few of the words.
  @Test
  void theFirstLayerOfTheRealMiniLmGivesTheBitsOfTheCpu() {
    int[] ids = {101, 2057, 2015, 102};
    int[] lengths = {ids.length};
    int vocabularySize = 2100;
    try (BertWeights real = BertWeights.open(MiniLm.folder());
        BertWeights weights =
            BertWeights.of(
                new BertConfig(vocabularySize, 384, 1, 12, 1536, 512, 2, 1e-12f),
                (name, shape) -> {
                  Tensor tensor = Objects.requireNonNull(real.named().get(name)).read();
                  return tensor.dim(0) == shape[0] ? tensor : tensor.rows(0, shape[0]).copy();
                });
        CpuBertRunner cpu = new CpuBertRunner(weights, host, Profile.I8_V1, ids.length);
        CudaBertRunner gpu =
            new CudaBertRunner(
                new InterpretedAccelerator(Architecture.HOPPER),
                weights,
                Profile.I8_V1,
                ids.length,
                (bytes, bytesTotal) -> {})) {
      assertBits(
          "the vector",
          cpu.pooled(ids, lengths, Pooling.MEAN, true),
          gpu.pooled(ids, lengths, Pooling.MEAN, true));
    }
  }

  @Test
  void headsTooLongForTheKernelsAreLeftToTheHost() {
    BertConfig wide = new BertConfig(61, 260, 1, 2, 44, 90, 2, 1e-12f);
    assertThat(CudaBertRunner.serves(wide, Architecture.HOPPER)).isFalse();
    assertThat(CudaBertRunner.serves(MINI_LM, Architecture.LEAST)).isTrue();
  }

  private static CudaBertRunner runner(Accelerator device, BertWeights weights, Profile profile) {
    return new CudaBertRunner(device, weights, profile, ROWS_MAX, (bytes, bytesTotal) -> {});
  }
}

package io.rigmesh.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.worker.format.JsonField;
import io.rigmesh.worker.format.SafetensorsFile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LlamaLossTest {
  private static final double TOLERANCE = 1e-4;

  @TempDir Path folder;

  static Stream<LlamaConfig> configs() {
    return Stream.of(
        LlamaFixtures.odd(true),
        LlamaFixtures.odd(false),
        LlamaFixtures.config(61, 35, 3, 5, 5, 14, 33, 32, true),
        LlamaFixtures.config(83, 48, 1, 9, 3, 8, 70, 64, false));
  }

  @ParameterizedTest
  @MethodSource("configs")
  void lossLogitsAndEveryGradientAgreeWithTorchAutograd(LlamaConfig config) throws Exception {
    int batch = 3;
    int length = 19;
    LlamaParameters parameters = LlamaFixtures.lively(config, 11);
    int[] windows = LlamaFixtures.tokens(batch * (length + 1), config.vocabularySize(), 12);
    int[] inputs = new int[batch * length];
    int[] targets = new int[batch * length];
    for (int row = 0; row < batch; row++) {
      System.arraycopy(windows, row * (length + 1), inputs, row * length, length);
      System.arraycopy(windows, row * (length + 1) + 1, targets, row * length, length);
    }
    parameters.write(folder);
    TorchOracle.writeTokens(folder.resolve("tokens.bin"), windows);
    Files.writeString(
        folder.resolve("tokens.json"), "{\"shape\": [%d, %d]}".formatted(batch, length + 1));
    TorchOracle.run("gradients", folder);

    LlamaParameters gradients = LlamaParameters.zeros(config);
    float loss;
    try (Kernels kernels = new ScalarKernels()) {
      LlamaLoss lossOfBatch = new LlamaLoss(kernels, config, batch, length);
      float evaluated = lossOfBatch.evaluate(parameters, inputs, targets);
      Tensor logits = lossOfBatch.logits().copy();
      loss = lossOfBatch.gradients(parameters, inputs, targets, gradients);
      assertThat(evaluated).isEqualTo(loss);
      assertClose("logits", logits, TorchOracle.readFloats(folder.resolve("logits.bin")));
    }
    double torchLoss =
        JsonField.read(folder.resolve("loss.json"), 1000).member("loss").number(0, 100);
    assertThat((double) loss).isCloseTo(torchLoss, within(TOLERANCE * torchLoss));
    try (SafetensorsFile torch = SafetensorsFile.open(folder.resolve("gradients.safetensors"))) {
      assertThat(torch.names()).hasSameElementsAs(gradients.named().keySet());
      for (Map.Entry<String, Tensor> entry : gradients.named().entrySet()) {
        assertClose(entry.getKey(), entry.getValue(), torch.floats(entry.getKey()));
      }
    }
  }

  @Test
  void aBatchOfOtherSizeOrWithATokenOutsideTheVocabularyIsRefused() {
    LlamaConfig config = LlamaFixtures.odd(true);
    LlamaParameters parameters = LlamaParameters.initial(config, 1);
    LlamaLoss loss = new LlamaLoss(new ScalarKernels(), config, 1, 2);
    assertThatThrownBy(() -> loss.evaluate(parameters, new int[3], new int[2]))
        .hasMessageContaining("2 tokens, not 3");
    assertThatThrownBy(() -> loss.evaluate(parameters, new int[] {0, 97}, new int[2]))
        .hasMessageContaining("Token 1 of the batch is 97")
        .hasMessageContaining("0 to 96");
    assertThatThrownBy(() -> new LlamaLoss(new ScalarKernels(), config, 1, 41))
        .hasMessageContaining("length=41");
  }

  private static org.assertj.core.data.Offset<Double> within(double tolerance) {
    return org.assertj.core.data.Offset.offset(tolerance);
  }

  private static void assertClose(String name, Tensor ours, float[] torch) {
    assertThat(ours.size()).as(name).isEqualTo(torch.length);
    double difference = 0;
    double norm = 0;
    double worst = 0;
    double largest = 0;
    for (int i = 0; i < torch.length; i++) {
      double d = (double) ours.get(i) - torch[i];
      difference += d * d;
      norm += (double) torch[i] * torch[i];
      worst = Math.max(worst, Math.abs(d));
      largest = Math.max(largest, Math.abs(torch[i]));
    }
    assertThat(norm).as("norm of torch's " + name).isPositive();
    assertThat(Math.sqrt(difference / norm)).as("L2 difference of " + name).isLessThan(TOLERANCE);
    assertThat(worst / largest).as("largest difference of " + name).isLessThan(TOLERANCE);
  }
}

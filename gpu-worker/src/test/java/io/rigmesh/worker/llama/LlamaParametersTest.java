package io.rigmesh.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.rigmesh.worker.format.ModelFolder;
import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.format.SafetensorsWriter;
import io.rigmesh.worker.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LlamaParametersTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatIsWrittenIsReadBackToTheBit(boolean tiedHead) {
    LlamaParameters parameters = LlamaFixtures.lively(LlamaFixtures.odd(tiedHead), 1);
    parameters.write(folder);
    LlamaParameters read = read();
    assertThat(read.config()).isEqualTo(parameters.config());
    assertThat(read.named().keySet()).containsExactlyElementsOf(parameters.named().keySet());
    parameters
        .named()
        .forEach((name, tensor) -> {
          assertThat(read.tensor(name).shape()).as(name).isEqualTo(tensor.shape());
          assertThat(LlamaFixtures.bits(read.tensor(name)))
              .as(name)
              .isEqualTo(LlamaFixtures.bits(tensor));
        });
  }

  @Test
  void theFixedOrderIsEmbeddingThenLayersThenNormThenHead() {
    assertThat(
            LlamaParameters.zeros(LlamaFixtures.config(5, 4, 1, 2, 1, 2, 6, 8, false))
                .named()
                .keySet())
        .containsExactly(
            "model.embed_tokens.weight",
            "model.layers.0.input_layernorm.weight",
            "model.layers.0.self_attn.q_proj.weight",
            "model.layers.0.self_attn.k_proj.weight",
            "model.layers.0.self_attn.v_proj.weight",
            "model.layers.0.self_attn.o_proj.weight",
            "model.layers.0.post_attention_layernorm.weight",
            "model.layers.0.mlp.gate_proj.weight",
            "model.layers.0.mlp.up_proj.weight",
            "model.layers.0.mlp.down_proj.weight",
            "model.norm.weight",
            "lm_head.weight");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theParameterCountIsThatOfTheTensors(boolean tiedHead) {
    LlamaConfig config = LlamaFixtures.odd(tiedHead);
    long count =
        LlamaParameters.zeros(config).named().values().stream().mapToLong(Tensor::size).sum();
    assertThat(config.parameterCount()).isEqualTo(count);
  }

  @Test
  void theWeightsOfASeedAreTheseBitsForEver() throws Exception {
    LlamaParameters parameters =
        LlamaParameters.initial(LlamaFixtures.odd(true), 0x1234_5678_9ABCL);
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    for (Tensor tensor : parameters.named().values()) {
      ByteBuffer bytes = ByteBuffer.allocate(4 * tensor.size()).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(tensor.toArray());
      digest.update(bytes);
    }
    assertThat(HexFormat.of().formatHex(digest.digest()))
        .isEqualTo("96d837fbe5a119f5b6b51fb632c5f489e14f491537094993c96cb06db79e7a76");
  }

  @Test
  void freshWeightsHaveTheDeviationsOfTheirKind() {
    LlamaParameters parameters =
        LlamaParameters.initial(LlamaFixtures.config(500, 64, 2, 4, 2, 16, 128, 8, true), 7);
    assertThat(deviation(parameters.embedding())).isCloseTo(0.02, within(0.0005));
    assertThat(deviation(parameters.layers().get(1).gate())).isCloseTo(0.02, within(0.001));
    assertThat(deviation(parameters.layers().get(1).down())).isCloseTo(0.01, within(0.0005));
    assertThat(deviation(parameters.layers().get(0).output())).isCloseTo(0.01, within(0.0005));
    assertThat(parameters.finalNorm().toArray()).containsOnly(1f);
    assertThat(LlamaFixtures.bits(parameters.layers().get(0).gate()))
        .isNotEqualTo(LlamaFixtures.bits(parameters.layers().get(1).gate()));
  }

  @Test
  void aTensorThatThisArchitectureLacksIsRefused() {
    LlamaParameters parameters = LlamaFixtures.lively(LlamaFixtures.odd(true), 1);
    parameters.write(folder);
    SafetensorsWriter writer = new SafetensorsWriter();
    parameters.addTo(writer, "");
    writer.add("model.layers.0.self_attn.q_proj.bias", new float[60], 60);
    writer.write(folder.resolve("model.safetensors"));
    assertThatThrownBy(this::read)
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("model.layers.0.self_attn.q_proj.bias")
        .hasMessageContaining("no tensor of a model with this config");
  }

  @Test
  void aTensorOfAnotherShapeIsRefused() {
    LlamaFixtures.lively(LlamaFixtures.odd(true), 1).write(folder);
    LlamaConfigJson.write(LlamaFixtures.config(97, 36, 2, 6, 3, 10, 52, 40, true), folder);
    assertThatThrownBy(this::read)
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("model.layers.0.self_attn.k_proj.weight.shape")
        .hasMessageContaining("[20, 36]")
        .hasMessageContaining("[30, 36]");
  }

  private LlamaParameters read() {
    try (ModelFolder model = ModelFolder.open(folder)) {
      return LlamaParameters.read(model);
    }
  }

  private static double deviation(Tensor tensor) {
    double squares = 0;
    for (float value : tensor.toArray()) {
      squares += (double) value * value;
    }
    return Math.sqrt(squares / tensor.size());
  }
}

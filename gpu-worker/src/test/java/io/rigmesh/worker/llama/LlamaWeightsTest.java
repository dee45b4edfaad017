package io.rigmesh.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.format.ElementType;
import io.rigmesh.worker.format.ModelFolder;
import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.format.ModelWeight;
import io.rigmesh.worker.format.SafetensorsFile;
import io.rigmesh.worker.format.SafetensorsWriter;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.serve.CpuStepRunner;
import io.rigmesh.worker.serve.Runners;
import io.rigmesh.worker.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LlamaWeightsTest {
  private static final String QWEN3 =
      """
      {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "vocab_size": 23,
       "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "head_dim": 6,
       "num_key_value_heads": 1, "intermediate_size": 20, "max_position_embeddings": 40,
       "attention_bias": true}
      """;

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16"})
  void shardsOfEveryTypeAreWidenedExactly(ElementType type) {
    FamilyFolder.write(folder, QWEN3, type, 3, 1);
    int count = 0;
    try (LlamaWeights weights = LlamaWeights.open(folder)) {
      for (ModelWeight weight : weights.named().values()) {
        assertThat(weight.type()).isEqualTo(type);
        Tensor read = weight.read();
        assertThat(Arrays.stream(read.shape()).boxed().toList()).isEqualTo(weight.shape());
        for (int i = 0; i < weight.elements(); i++) {
          assertThat(read.get(i)).isEqualTo(stored(weight, i));
          count++;
        }
      }
      assertThat(weights.bytes()).isEqualTo((long) count * type.bytes());
    }
    // The embedding and the head, two layers of projections, biases, head norms, SwiGLU and norms.
    int layer = 2 * 18 * 12 + 2 * 6 * 12 + 18 + 2 * 6 + 12 + 2 * 6 + 3 * 20 * 12 + 2 * 12;
    assertThat(count).isEqualTo(2 * 23 * 12 + 2 * layer + 12);
  }

  @Test
  void aModelReadFromShardsDecodesAsFromOneFile() {
    FamilyFolder.write(folder.resolve("one"), QWEN3, ElementType.BF16, 1, 2);
    FamilyFolder.write(folder.resolve("many"), QWEN3, ElementType.BF16, 4, 2);
    assertThat(hidden(folder.resolve("many"), 4)).isEqualTo(hidden(folder.resolve("one"), 9));
  }

  @Test
  void weightsOfParametersAreTheirTensors() {
    LlamaParameters parameters = LlamaFixtures.lively(LlamaFixtures.odd(false), 3);
    try (LlamaWeights weights = LlamaWeights.of(parameters)) {
      assertThat(weights.named().keySet()).containsExactlyElementsOf(parameters.named().keySet());
      ModelWeight key = weights.layers().get(1).key();
      assertThat(key.read()).isSameAs(parameters.layers().get(1).key());
      assertThat(stored(key, 7)).isEqualTo(parameters.layers().get(1).key().get(7));
      assertThat(weights.layers().get(0).queryBias()).isEmpty();
      assertThat(weights.head().read()).isSameAs(parameters.head());
    }
  }

  @Test
  void aModelSavedWithoutItsHeadHasEverythingElse() throws IOException {
    FamilyFolder.write(folder, QWEN3, ElementType.F32, 1, 4);
    rewrite(
        folder.resolve("model.safetensors"),
        name ->
            name.equals("lm_head.weight") ? List.of() : List.of(name.substring("model.".length())));
    try (LlamaWeights weights = LlamaWeights.open(folder)) {
      assertThat(weights.layers().get(1).keyNorm().orElseThrow().name())
          .isEqualTo("model.layers.1.self_attn.k_norm.weight");
      assertThatThrownBy(weights::head)
          .isInstanceOf(ModelFormatException.class)
          .hasMessageContaining("lm_head.weight")
          .hasMessageContaining("makes embeddings");
    }
  }

  @Test
  void aMissingTensorIsNamedWhenTheFolderIsOpened() {
    FamilyFolder.write(folder, QWEN3, ElementType.F32, 1, 5);
    rewrite(
        folder.resolve("model.safetensors"),
        name -> name.equals("model.layers.1.self_attn.q_norm.weight") ? List.of() : List.of(name));
    assertRefused("model.layers.1.self_attn.q_norm.weight", "no weights file holds this tensor");
  }

  @Test
  void aTensorTooManyIsNamedWhenTheFolderIsOpened() {
    FamilyFolder.write(folder, QWEN3, ElementType.F32, 1, 6);
    rewrite(
        folder.resolve("model.safetensors"),
        name ->
            name.equals("model.norm.weight")
                ? List.of(name, "model.layers.0.self_attn.sinks")
                : List.of(name));
    assertRefused("model.layers.0.self_attn.sinks", "is no tensor of a model with this config");
  }

  @Test
  void aTypeThatWouldBeRoundedIsNamedWhenTheFolderIsOpened() {
    FamilyFolder.write(folder, QWEN3, ElementType.F32, 1, 7);
    SafetensorsWriter writer = new SafetensorsWriter();
    writer.add("model.embed_tokens.weight", ElementType.F64, ByteBuffer.allocate(8 * 276), 23, 12);
    writer.write(folder.resolve("model.safetensors"));
    assertRefused("model.embed_tokens.weight.dtype", "is F64, must be F32, F16 or BF16");
  }

  @Test
  void aShardThatIsNotThereIsNamed() throws IOException {
    FamilyFolder.write(folder, QWEN3, ElementType.F16, 3, 8);
    Files.delete(folder.resolve(FamilyFolder.shardName(1, 3)));
    assertThatThrownBy(() -> LlamaWeights.open(folder))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("model-00002-of-00003.safetensors")
        .hasMessageContaining("is missing");
  }

  @Test
  void anIndexThatLeadsOutOfTheFolderIsRefused() throws IOException {
    FamilyFolder.write(folder, QWEN3, ElementType.F16, 3, 9);
    Path index = folder.resolve("model.safetensors.index.json");
    Files.writeString(
        index,
        Files.readString(index).replaceFirst("model-00001-of-00003", "../model-00001-of-00003"));
    assertThatThrownBy(() -> LlamaWeights.open(folder))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("weight_map.model.embed_tokens.weight")
        .hasMessageContaining("must be the plain name of a .safetensors file");
  }

  @Test
  void aWeightThatIsNoNumberIsNamedWhenItIsRead() {
    FamilyFolder.write(folder, QWEN3, ElementType.F32, 1, 10);
    rewrite(folder.resolve("model.safetensors"), List::of, "model.norm.weight", Float.NaN);
    try (LlamaWeights weights = LlamaWeights.open(folder)) {
      assertThatThrownBy(() -> weights.finalNorm().read())
          .isInstanceOf(ModelFormatException.class)
          .hasMessageContaining("model.norm.weight[0]")
          .hasMessageContaining("is NaN, every weight must be finite");
    }
  }

  @Test
  void moreThanAPlainLlamaIsNotTrained() {
    FamilyFolder.write(folder, QWEN3, ElementType.F32, 1, 11);
    try (ModelFolder opened = ModelFolder.open(folder)) {
      assertThatThrownBy(() -> LlamaParameters.read(opened))
          .isInstanceOf(ModelFormatException.class)
          .hasMessageContaining("only plain Llamas are trained here")
          .hasMessageContaining("attention_bias");
    }
  }

  private void assertRefused(String field, String problem) {
    assertThatThrownBy(() -> LlamaWeights.open(folder))
        .isInstanceOfSatisfying(
            ModelFormatException.class, e -> assertThat(e.field()).isEqualTo(field))
        .hasMessageContaining(problem);
  }

  private static List<Integer> hidden(Path path, int chunkRows) {
    try (LlamaWeights weights = LlamaWeights.open(path);
        Kernels kernels = new ScalarKernels()) {
      CpuStepRunner runner =
          new CpuStepRunner(kernels, weights, Profile.F32_V1, new CpuStepRunner.Sizes(1, 9, 9));
      List<Integer> bits = new ArrayList<>();
      for (int[] row : Runners.hidden(runner, LlamaFixtures.tokens(9, 23, 1), chunkRows)) {
        Arrays.stream(row).forEach(bits::add);
      }
      return bits;
    }
  }

  /// An element, widened in another way than the reader's.
  private static float stored(ModelWeight weight, int index) {
    return switch (weight.type()) {
      case F32 -> weight.bytes().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * index);
      case F16 ->
          Float.float16ToFloat(weight.bytes().get(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * index));
      case BF16 -> {
        short bits = weight.bytes().get(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * index);
        yield ByteBuffer.allocate(4).putShort(bits).putShort((short) 0).getFloat(0);
      }
      default -> throw new AssertionError(weight.type());
    };
  }

  private interface Renaming {
    List<String> names(String name);
  }

  private static void rewrite(Path file, Renaming renaming) {
    rewrite(file, renaming, "", 0f);
  }

  /// Writes the tensors of a file again under other names, the first element of one replaced.
  private static void rewrite(Path file, Renaming renaming, String changed, float first) {
    SafetensorsWriter writer = new SafetensorsWriter();
    try (SafetensorsFile opened = SafetensorsFile.open(file)) {
      for (String name : opened.names()) {
        float[] values = opened.floats(name);
        if (name.equals(changed)) {
          values[0] = first;
        }
        long[] shape = opened.tensor(name).shape().stream().mapToLong(Long::longValue).toArray();
        renaming.names(name).forEach(to -> writer.add(to, values, shape));
      }
    }
    writer.write(file);
  }
}

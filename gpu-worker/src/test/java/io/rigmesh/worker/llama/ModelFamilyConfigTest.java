package io.rigmesh.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.rigmesh.worker.format.JsonField;
import io.rigmesh.worker.format.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the config.json files of the families say beyond a plain Llama's.
class ModelFamilyConfigTest {
  private static final LayerAttention FULL = LayerAttention.FULL;

  @TempDir Path folder;

  @Test
  void aMistralHasAWindowInEveryLayerUnlessItSaysNull() throws IOException {
    String mistral =
        """
        {"model_type": "mistral", "architectures": ["MistralForCausalLM"], "vocab_size": 100,
         "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "intermediate_size": 48, "max_position_embeddings": 32768,
         "sliding_window": 100}
        """;
    assertThat(read(mistral).layerAttention()).containsExactly(window(100), window(100));
    assertThat(read(mistral).beyondPlainLlama()).contains("sliding_window");
    LlamaConfig none = read(mistral.replace(": 100}", ": null}"));
    assertThat(none.layerAttention()).containsExactly(FULL, FULL);
    assertThat(none.beyondPlainLlama()).isEmpty();
    LlamaConfig usual = read(mistral.replace("\"sliding_window\": 100", "\"use_cache\": true"));
    assertThat(usual.layerAttention()).containsExactly(window(4096), window(4096));
    LlamaConfig wide = read(mistral.replace(": 100}", ": 32768}"));
    assertThat(wide.layerAttention()).containsExactly(FULL, FULL);
    assertRefused(mistral.replace(": 100}", ": 0}"), "sliding_window", "must be from 1");
    assertRefused(
        mistral.replace("\"num_key_value_heads\": 2,", ""), "num_key_value_heads", "is missing");
    assertRefused(
        mistral.replace(": 100}", ": 100, \"attention_bias\": true}"), "attention_bias", "Mistral");
  }

  @Test
  void aQwen2HasBiasesAndAWindowOnlyWhereItSaysSo() throws IOException {
    String qwen =
        """
        {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "vocab_size": 100,
         "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4,
         "num_key_value_heads": 2, "intermediate_size": 48, "max_position_embeddings": 4000,
         "use_sliding_window": false, "sliding_window": 50, "max_window_layers": 2,
         "rope_theta": 1000000.0, "tie_word_embeddings": true, "use_mrope": false}
        """;
    LlamaConfig config = read(qwen);
    assertThat(config.qkvBias()).isTrue();
    assertThat(config.outputBias()).isFalse();
    assertThat(config.qkNorm()).isFalse();
    assertThat(config.layerAttention()).containsExactly(FULL, FULL, FULL);
    assertThat(config.ropeTheta()).isEqualTo(1e6);
    // Four projections, three biases, SwiGLU and two norms a layer; the table and the last norm.
    long layer = 2 * 32 * 32 + 2 * 32 * 16 + 32 + 2 * 16 + 3 * 32 * 48 + 2 * 32;
    assertThat(config.parameterCount()).isEqualTo(100 * 32 + 3 * layer + 32);
    String sliding = qwen.replace("window\": false", "window\": true");
    assertThat(read(sliding).layerAttention()).containsExactly(FULL, FULL, window(50));
    String typed =
        sliding.replace(
            "\"use_mrope\": false",
            "\"layer_types\": [\"sliding_attention\", \"full_attention\", \"full_attention\"]");
    assertThat(read(typed).layerAttention()).containsExactly(window(50), FULL, FULL);
    assertRefused(
        typed.replace(", \"full_attention\", \"full", ", \"full"),
        "layer_types",
        "one for each of the 3 layers");
    assertRefused(
        qwen.replace("use_mrope\": false", "use_mrope\": true"),
        "use_mrope",
        "positions of images");
  }

  @Test
  void aQwen3NormsItsHeadsAndMayHaveWideOnes() throws IOException {
    String qwen =
        """
        {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "vocab_size": 100,
         "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "head_dim": 16,
         "num_key_value_heads": 2, "intermediate_size": 48, "max_position_embeddings": 400,
         "attention_bias": false, "sliding_window": null, "eos_token_id": 3}
        """;
    LlamaConfig config = read(qwen);
    assertThat(config.qkNorm()).isTrue();
    assertThat(config.qkvBias()).isFalse();
    assertThat(config.headDim()).isEqualTo(16);
    assertThat(config.queryCols()).isEqualTo(64);
    assertThat(config.endTokenIds()).containsExactly(3);
    assertThat(read(qwen.replace("\"head_dim\": 16,", "")).headDim()).isEqualTo(128);
    LlamaConfig biased = read(qwen.replace("bias\": false", "bias\": true"));
    assertThat(biased.qkvBias()).isTrue();
    assertThat(biased.outputBias()).isTrue();
  }

  @Test
  void aSmolLm3RotatesNothingInEveryFourthLayer() throws IOException {
    String smol =
        """
        {"model_type": "smollm3", "architectures": ["SmolLM3ForCausalLM"], "vocab_size": 100,
         "hidden_size": 32, "num_hidden_layers": 5, "num_attention_heads": 4,
         "num_key_value_heads": 2, "intermediate_size": 48, "max_position_embeddings": 400}
        """;
    LayerAttention still = new LayerAttention(false, OptionalInt.empty());
    LlamaConfig config = read(smol);
    assertThat(config.layerAttention()).containsExactly(FULL, FULL, FULL, still, FULL);
    assertThat(config.tiedHead()).isTrue();
    assertThat(config.ropeTheta()).isEqualTo(2e6);
    assertThat(config.beyondPlainLlama()).contains("no_rope_layers");
    String listed = smol.replace("400}", "400, \"no_rope_layers\": [1, 0, 1, 1, 0]}");
    assertThat(read(listed).layerAttention()).containsExactly(FULL, still, FULL, FULL, still);
    String sliding =
        listed.replace("400,", "400, \"use_sliding_window\": true, \"sliding_window\": 9,");
    LayerAttention stillWindow = new LayerAttention(false, OptionalInt.of(9));
    assertThat(read(sliding).layerAttention())
        .containsExactly(FULL, stillWindow, FULL, FULL, stillWindow);
    assertRefused(listed.replace("[1, 0", "[2, 0"), "no_rope_layers[0]", "must be from 0 to 1");
  }

  @ParameterizedTest
  @CsvSource({"4, 32768, 131072", "2, 40000, 80000", "1.5, 10000, 32768"})
  void yarnReachesAsFarAsItsFactorSays(double factor, int original, int positions)
      throws IOException {
    LlamaConfig config =
        read(
            yarn(
                "\"factor\": %s, \"original_max_position_embeddings\": %d"
                    .formatted(factor, original)));
    assertThat(config.positionsMax()).isEqualTo(positions);
    assertThat(config.ropeScaling())
        .isEqualTo(
            new RopeScaling.Yarn(factor, original, 32, 1, true, 0.1 * StrictMath.log(factor) + 1));
  }

  @Test
  void yarnsAmplitudeIsGivenOrFoundFromTwoScalesOrTheFactor() throws IOException {
    assertThat(
            read(yarn("\"factor\": 40.0, \"mscale\": 0.5, \"mscale_all_dim\": 1"))
                .ropeScaling()
                .amplitude())
        .isCloseTo((0.05 * Math.log(40) + 1) / (0.1 * Math.log(40) + 1), within(1e-15));
    assertThat(read(yarn("\"factor\": 40.0, \"mscale\": 0.5")).ropeScaling().amplitude())
        .isCloseTo(0.1 * Math.log(40) + 1, within(1e-15));
    assertThat(read(yarn("\"factor\": 40.0, \"attention_factor\": 1.25")).ropeScaling().amplitude())
        .isEqualTo(1.25);
    assertThat(read(yarn("\"original_max_position_embeddings\": 8192")).ropeScaling())
        .isInstanceOfSatisfying(
            RopeScaling.Yarn.class, scaling -> assertThat(scaling.factor()).isEqualTo(4.0));
  }

  @Test
  void aScalingBesideTheBaseInRopeParametersIsRead() throws IOException {
    LlamaConfig config =
        read(
            LLAMA.replace(
                "400",
                """
                131072, "rope_parameters": {"rope_type": "llama3", "rope_theta": 500000.0,
                "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                "original_max_position_embeddings": 8192}
                """));
    assertThat(config.ropeTheta()).isEqualTo(500_000.0);
    assertThat(config.ropeScaling()).isEqualTo(new RopeScaling.Llama3(8, 1, 4, 8192));
    assertThat(config.beyondPlainLlama()).contains("rope_scaling");
  }

  @Test
  void llama3KeepsShortWavesDividesLongOnesAndBlendsThoseBetween() {
    double[] plain = new RopeScaling.None().frequencies(128, 500_000);
    double[] scaled = new RopeScaling.Llama3(8, 1, 4, 8192).frequencies(128, 500_000);
    for (int i = 0; i < 64; i++) {
      double wave = 2 * Math.PI / plain[i];
      if (wave < 8192 / 4.0) {
        assertThat(scaled[i]).as("pair %d", i).isEqualTo(plain[i]);
      } else if (wave > 8192) {
        assertThat(scaled[i]).as("pair %d", i).isEqualTo(plain[i] / 8);
      } else {
        assertThat(scaled[i]).as("pair %d", i).isBetween(plain[i] / 8, plain[i]);
      }
    }
    // The waves of pair 30 are 2950 positions long; they turn 2.777 times in 8192.
    double turns = 8192 * plain[30] / (2 * Math.PI);
    assertThat(turns).isBetween(1.0, 4.0);
    assertThat(scaled[30])
        .isCloseTo(plain[30] * ((4 - turns) / 3 / 8 + (turns - 1) / 3), within(1e-12));
  }

  @Test
  void linearScalingIsThePositionsDividedByTheFactor() {
    double[] plain = new RopeScaling.None().frequencies(10, 10_000);
    double[] scaled = new RopeScaling.Linear(4).frequencies(10, 10_000);
    for (int i = 0; i < 5; i++) {
      assertThat(scaled[i]).isEqualTo(plain[i] / 4);
    }
  }

  @Test
  void attentionBiasesOfALlamaAreOnAllFourProjections() throws IOException {
    LlamaConfig config = read(LLAMA.replace("400", "400, \"attention_bias\": true"));
    assertThat(config.qkvBias()).isTrue();
    assertThat(config.outputBias()).isTrue();
    assertThat(config.beyondPlainLlama()).contains("attention_bias");
  }

  @Test
  void aModelWithoutItsTypeIsKnownByItsArchitecture() throws IOException {
    String byArchitecture =
        LLAMA.replace("\"model_type\": \"llama\"", "\"architectures\": [\"Qwen2Model\"]");
    assertThat(read(byArchitecture.replace("400", "400, \"num_key_value_heads\": 2")).qkvBias())
        .isTrue();
    assertRefused(LLAMA.replace("\"model_type\": \"llama\",", ""), "model_type", "is missing");
  }

  private static final String LLAMA =
      """
      {"model_type": "llama", "vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 1,
       "num_attention_heads": 4, "intermediate_size": 48, "max_position_embeddings": 400}
      """;

  private static String yarn(String fields) {
    return LLAMA.replace("400", "32768, \"rope_scaling\": {\"type\": \"yarn\", " + fields + "}");
  }

  private static LayerAttention window(int positions) {
    return new LayerAttention(true, OptionalInt.of(positions));
  }

  private void assertRefused(String json, String field, String problem) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOfSatisfying(
            ModelFormatException.class, e -> assertThat(e.field()).isEqualTo(field))
        .hasMessageContaining(problem);
  }

  private LlamaConfig read(String json) throws IOException {
    Path file = Files.writeString(folder.resolve("config.json"), json);
    return LlamaConfigJson.read(JsonField.read(file, 1 << 20));
  }
}

package io.rigmesh.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.worker.format.JsonField;
import io.rigmesh.worker.format.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LlamaConfigJsonTest {
  /// As published for a 1.1 billion parameter model.
  private static final String PUBLISHED =
      """
      {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": false,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": 2048,
        "initializer_range": 0.02,
        "intermediate_size": 5632,
        "max_position_embeddings": 2048,
        "model_type": "llama",
        "num_attention_heads": 32,
        "num_hidden_layers": 22,
        "num_key_value_heads": 4,
        "pretraining_tp": 1,
        "rms_norm_eps": 1e-05,
        "rope_scaling": null,
        "rope_theta": 10000.0,
        "tie_word_embeddings": false,
        "torch_dtype": "bfloat16",
        "use_cache": true,
        "vocab_size": 32000
      }
      """;

  @TempDir Path folder;

  @Test
  void aPublishedConfigIsRead() throws IOException {
    LlamaConfig config = read(PUBLISHED);
    assertThat(config)
        .isEqualTo(
            new LlamaConfig(
                32000,
                2048,
                22,
                32,
                4,
                64,
                5632,
                2048,
                10_000.0,
                1e-5f,
                false,
                OptionalInt.of(1),
                List.of(2)));
    assertThat(config.parameterCount()).isEqualTo(1_100_048_384L);
  }

  @Test
  void whatIsWrittenIsReadBack() throws IOException {
    LlamaConfig config =
        new LlamaConfig(
            500,
            40,
            3,
            6,
            2,
            10,
            77,
            99,
            500_000.5,
            3e-6f,
            true,
            OptionalInt.empty(),
            List.of(7, 9));
    LlamaConfigJson.write(config, folder);
    assertThat(LlamaConfigJson.read(JsonField.read(folder.resolve("config.json"), 1 << 20)))
        .isEqualTo(config);
  }

  @Test
  void missingFieldsHaveTheDefaultsOfTransformers() throws IOException {
    LlamaConfig config =
        read(
            """
            {"model_type": "llama", "vocab_size": 10, "hidden_size": 8, "num_hidden_layers": 1,
             "num_attention_heads": 2, "intermediate_size": 12,
             "rope_parameters": {"rope_type": "default", "rope_theta": 500.0}}
            """);
    assertThat(config.kvHeads()).isEqualTo(2);
    assertThat(config.headDim()).isEqualTo(4);
    assertThat(config.positionsMax()).isEqualTo(2048);
    assertThat(config.ropeTheta()).isEqualTo(500.0);
    assertThat(config.normEpsilon()).isEqualTo(1e-6f);
    assertThat(config.tiedHead()).isFalse();
    assertThat(config.endTokenIds()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"LlamaForCausalLM\" | \"MistralForCausalLM\" | architectures[0] | must be one of [LlamaForCausalLM, LlamaModel]",
        "\"model_type\": \"llama\" | \"model_type\": \"qwen2\" | architectures[0] | must be one of [Qwen2ForCausalLM, Qwen2Model]",
        "\"model_type\": \"llama\" | \"model_type\": \"gemma3\" | model_type | must be one of [llama, mistral, qwen2, qwen3, smollm3]",
        "\"silu\" | \"gelu\" | hidden_act | must be one of [silu, swish]",
        "\"use_cache\": true | \"mlp_bias\": true | mlp_bias | biases in the feed-forward block",
        "\"use_cache\": true | \"quantization_config\": {\"bits\": 4} | quantization_config | quantised",
        "\"rope_scaling\": null | \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0} | rope_scaling.low_freq_factor | is missing",
        "\"rope_scaling\": null | \"rope_scaling\": {\"rope_type\": \"dynamic\", \"factor\": 8.0} | rope_scaling.rope_type | must be one of [default, linear, llama3, yarn]",
        "\"rope_scaling\": null | \"rope_scaling\": {\"rope_type\": \"yarn\", \"type\": \"linear\"} | rope_scaling.type | differs from rope_type",
        "\"rope_scaling\": null | \"rope_scaling\": {\"type\": \"linear\"} | rope_scaling.factor | is missing",
        "\"rope_scaling\": null | \"rope_scaling\": {\"type\": \"linear\", \"factor\": 0.5} | rope_scaling | factor=0.5 must be a number of at least 1",
        "\"rope_scaling\": null | \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2, \"beta_slow\": 64} | rope_scaling | at most beta_fast=32",
        "\"rope_scaling\": null | \"rope_parameters\": {\"full_attention\": {}} | rope_parameters.full_attention | differ by layer",
        "\"rope_scaling\": null | \"partial_rotary_factor\": 0.5 | partial_rotary_factor | a part of each head",
        "\"rope_scaling\": null | \"rope_scaling\": {\"factor\": 2.0} | rope_scaling.factor | scales rotary positions",
        "\"num_key_value_heads\": 4 | \"num_key_value_heads\": 5 | num_key_value_heads | must divide num_attention_heads, which is 32",
        "\"num_attention_heads\": 32 | \"num_attention_heads\": 60 | hidden_size | multiple of twice num_attention_heads",
        "\"use_cache\": true | \"head_dim\": 63 | head_dim | must be even",
        "\"hidden_size\": 2048 | \"hidden_size\": 0 | hidden_size | must be from 1 to",
        "\"hidden_size\": 2048 | \"hidden_size\": \"big\" | hidden_size | must be an integer",
        "\"vocab_size\": 32000 | \"vocab_size\": 99999999999 | vocab_size | must be from 1 to",
        "\"eos_token_id\": 2 | \"eos_token_id\": 32000 | eos_token_id | must be from 0 to 31999",
        "\"eos_token_id\": 2 | \"eos_token_id\": [2, -1] | eos_token_id[1] | must be from 0 to 31999",
        "\"rms_norm_eps\": 1e-05 | \"rms_norm_eps\": 0 | rms_norm_eps | must be from",
        "\"rope_theta\": 10000.0 | \"rope_theta\": -1 | rope_theta | must be from",
        "\"num_hidden_layers\": 22, | '' | num_hidden_layers | is missing",
      })
  void whatThisEngineCannotRunIsRefusedByFileFieldAndByte(
      String found, String replacement, String field, String problem) {
    assertThat(PUBLISHED).contains(found);
    String json = PUBLISHED.replace(found, replacement);
    assertThatThrownBy(() -> read(json))
        .isInstanceOfSatisfying(
            ModelFormatException.class,
            e -> {
              assertThat(e.field()).isEqualTo(field);
              assertThat(e.file()).endsWith("config.json");
              assertThat(e.offset()).isBetween(0L, (long) json.length());
            })
        .hasMessageContaining(problem);
  }

  @Test
  void aWeightTooLargeForOneArrayIsRefused() {
    String json = PUBLISHED.replace("\"vocab_size\": 32000", "\"vocab_size\": 4000000");
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("4000000 x 2048 has more elements");
  }

  private LlamaConfig read(String json) throws IOException {
    Path file = Files.writeString(folder.resolve("config.json"), json);
    return LlamaConfigJson.read(JsonField.read(file, 1 << 20));
  }
}

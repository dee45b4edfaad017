package io.rigmesh.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.format.ElementType;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.serve.CpuStepRunner;
import io.rigmesh.worker.serve.Segment;
import io.rigmesh.worker.serve.Step;
import io.rigmesh.worker.serve.StepRunner;
import io.rigmesh.worker.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The logits of random models of every family, as torch computes them in double from the same
/// folders: odd head counts, grouped queries, tied and untied heads, biases, head norms, windows,
/// layers without rotation, each kind of rotary scaling, one file and shards of each type.
class FamilyLogitsIT {
  /// Longer than two pages, and longer than a window of one.
  private static final int LENGTH = 75;

  private static final int CHUNK = 33;
  private static final double TOLERANCE = 1e-4;

  /// What a config cannot lack without another result, so that the test would see it ignored.
  private static final List<String> FEATURES =
      List.of("\"rope_scaling", "\"sliding_window", "\"no_rope_layer_");

  private record Model(String name, ElementType type, int shards, String fields) {
    String config() {
      return """
      {"vocab_size": 101, "hidden_size": 36, "num_hidden_layers": 3, "intermediate_size": 52,
       "rms_norm_eps": 1e-5, "max_position_embeddings": 80, "rope_theta": 200.0, %s}
      """
          .formatted(fields);
    }
  }

  private static final List<Model> MODELS =
      List.of(
          new Model(
              "llama of shards, untied",
              ElementType.BF16,
              3,
              """
              "model_type": "llama", "num_attention_heads": 6, "num_key_value_heads": 2,
              "head_dim": 10, "tie_word_embeddings": false
              """),
          new Model(
              "llama with five heads on one, biases, tied",
              ElementType.F16,
              1,
              """
              "model_type": "llama", "num_attention_heads": 5, "num_key_value_heads": 1,
              "head_dim": 14, "tie_word_embeddings": true, "attention_bias": true
              """),
          new Model(
              "llama with seven heads on one, untied",
              ElementType.F32,
              1,
              """
              "model_type": "llama", "num_attention_heads": 7, "num_key_value_heads": 1,
              "head_dim": 10, "tie_word_embeddings": false
              """),
          new Model(
              "qwen3 with five heads of their own, untied",
              ElementType.BF16,
              2,
              """
              "model_type": "qwen3", "num_attention_heads": 5, "num_key_value_heads": 5,
              "head_dim": 12, "tie_word_embeddings": false, "attention_bias": false
              """),
          new Model(
              "llama3 scaling",
              ElementType.F32,
              1,
              """
              "model_type": "llama", "num_attention_heads": 3, "num_key_value_heads": 3,
              "tie_word_embeddings": true, "rope_scaling": {"rope_type": "llama3", "factor": 8.0,
              "low_freq_factor": 1.0, "high_freq_factor": 4.0,
              "original_max_position_embeddings": 32}
              """),
          new Model(
              "linear scaling",
              ElementType.F32,
              1,
              """
              "model_type": "llama", "num_attention_heads": 6, "num_key_value_heads": 3,
              "tie_word_embeddings": false, "rope_scaling": {"rope_type": "linear", "factor": 2.5}
              """),
          new Model(
              "yarn scaling",
              ElementType.F32,
              1,
              """
              "model_type": "llama", "num_attention_heads": 2, "num_key_value_heads": 1,
              "head_dim": 24, "tie_word_embeddings": true, "rope_scaling": {"rope_type": "yarn",
              "factor": 4.0, "original_max_position_embeddings": 64, "beta_fast": 6}
              """),
          new Model(
              "yarn scaling with two scales, not rounded to pairs",
              ElementType.F32,
              1,
              """
              "model_type": "llama", "num_attention_heads": 2, "num_key_value_heads": 1,
              "head_dim": 24, "tie_word_embeddings": true, "rope_scaling": {"rope_type": "yarn",
              "factor": 40.0, "original_max_position_embeddings": 48, "beta_fast": 4,
              "beta_slow": 0.5, "mscale": 0.7, "mscale_all_dim": 1.3, "truncate": false}
              """),
          new Model(
              "mistral with a window",
              ElementType.BF16,
              2,
              """
              "model_type": "mistral", "num_attention_heads": 6, "num_key_value_heads": 2,
              "tie_word_embeddings": false, "sliding_window": 13
              """),
          new Model(
              "qwen2 with biases and a window in its upper layers",
              ElementType.BF16,
              2,
              """
              "model_type": "qwen2", "num_attention_heads": 6, "num_key_value_heads": 3,
              "tie_word_embeddings": true, "use_sliding_window": true, "sliding_window": 41,
              "max_window_layers": 1
              """),
          new Model(
              "qwen3 with norms of wide heads",
              ElementType.F16,
              3,
              """
              "model_type": "qwen3", "num_attention_heads": 7, "num_key_value_heads": 1,
              "head_dim": 16, "tie_word_embeddings": true, "attention_bias": false
              """),
          new Model(
              "smollm3, every second layer without rotation",
              ElementType.F32,
              1,
              """
              "model_type": "smollm3", "num_attention_heads": 6, "num_key_value_heads": 2,
              "tie_word_embeddings": true, "no_rope_layer_interval": 2
              """));

  @TempDir Path folder;

  @Test
  void logitsAreTorchsForEveryFamily() throws IOException, InterruptedException {
    List<Path> folders = new ArrayList<>();
    for (int i = 0; i < MODELS.size(); i++) {
      Model model = MODELS.get(i);
      Path path = folder.resolve("model-" + i);
      FamilyFolder.write(path, model.config(), model.type(), model.shards(), i);
      TorchOracle.writeTokens(path.resolve("tokens.bin"), LlamaFixtures.tokens(LENGTH, 101, i));
      folders.add(path);
    }
    TorchOracle.runFamilies(folder.resolve("oracle.log"), folders);
    try (Kernels kernels = new VectorKernels(2)) {
      for (int i = 0; i < MODELS.size(); i++) {
        double[] theirs = doubles(folders.get(i).resolve("logits.bin"));
        float[] ours = logits(kernels, folders.get(i), LlamaFixtures.tokens(LENGTH, 101, i));
        assertThat(difference(ours, theirs)).as(MODELS.get(i).name()).isLessThan(TOLERANCE);
        for (String feature : FEATURES) {
          Path config = folders.get(i).resolve("config.json");
          String json = Files.readString(config);
          if (json.contains(feature)) {
            Files.writeString(config, json.replace(feature, "\"ignored_"));
            float[] without = logits(kernels, folders.get(i), LlamaFixtures.tokens(LENGTH, 101, i));
            assertThat(difference(without, theirs))
                .as("%s without %s", MODELS.get(i).name(), feature)
                .isGreaterThan(100 * TOLERANCE);
            Files.writeString(config, json);
          }
        }
      }
    }
  }

  /// The largest difference, as a share of the largest logit.
  private static double difference(float[] ours, double[] theirs) {
    assertThat(ours).hasSameSizeAs(theirs);
    double largest = Arrays.stream(theirs).map(Math::abs).max().orElseThrow();
    assertThat(largest).isGreaterThan(1);
    double worst = 0;
    for (int i = 0; i < ours.length; i++) {
      worst = Math.max(worst, Math.abs(ours[i] - theirs[i]));
    }
    return worst / largest;
  }

  /// The logits of all positions, read in chunks, the pages out of order.
  private static float[] logits(Kernels kernels, Path folder, int[] tokens) throws IOException {
    int pages = KeyValuePages.pagesFor(tokens.length);
    int[] table = new int[pages];
    for (int page = 0; page < pages; page++) {
      table[page] = pages - 1 - page;
    }
    List<Float> all = new ArrayList<>();
    try (LlamaWeights weights = LlamaWeights.open(folder);
        StepRunner runner =
            new CpuStepRunner(
                kernels, weights, Profile.F32_V1, new CpuStepRunner.Sizes(pages, CHUNK, CHUNK))) {
      for (int from = 0; from < tokens.length; from += CHUNK) {
        int rows = Math.min(CHUNK, tokens.length - from);
        Step step =
            new Step(
                Arrays.copyOfRange(tokens, from, from + rows),
                List.of(new Segment(0, rows, from, table, rows)));
        Tensor logits = runner.run(step).logits();
        for (float logit : logits.toArray()) {
          all.add(logit);
        }
      }
    }
    float[] logits = new float[all.size()];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = all.get(i);
    }
    return logits;
  }

  private static double[] doubles(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    double[] values = new double[bytes.remaining() / Double.BYTES];
    bytes.asDoubleBuffer().get(values);
    return values;
  }
}

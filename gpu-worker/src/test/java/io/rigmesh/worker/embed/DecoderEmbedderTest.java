package io.rigmesh.worker.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.cuda.Architecture;
import io.rigmesh.worker.cuda.InterpretedAccelerator;
import io.rigmesh.worker.format.ElementType;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.llama.FamilyFolder;
import io.rigmesh.worker.llama.LlamaFixtures;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.serve.CpuStepRunner;
import io.rigmesh.worker.serve.Segment;
import io.rigmesh.worker.serve.Step;
import io.rigmesh.worker.tensor.Tensor;
import io.rigmesh.worker.tokenizer.BpeTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Embedding with a decoder, as Qwen3-Embedding does it.
class DecoderEmbedderTest {
  private static final int VOCABULARY = 300;

  @TempDir Path folder;
  private final Kernels kernels = new VectorKernels(1);

  @BeforeEach
  void writeModel() throws IOException {
    FamilyFolder.write(
        folder,
        """
        {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "vocab_size": 300,
         "hidden_size": 20, "num_hidden_layers": 2, "num_attention_heads": 2, "head_dim": 6,
         "num_key_value_heads": 1, "intermediate_size": 24, "max_position_embeddings": 2000,
         "tie_word_embeddings": true}
        """,
        ElementType.BF16,
        2,
        1);
    new BpeTrainer(VOCABULARY, 2, List.of("<|endoftext|>"))
        .add("a few words, and a few words more")
        .train()
        .write(folder.resolve("tokenizer.json"));
    pooling("lasttoken");
  }

  @Test
  void theLastTokensStateIsTheVector() {
    int[] tokens = LlamaFixtures.tokens(40, 250, 3);
    try (Embedder embedder = Embedder.open(folder, kernels, Profile.F32_V1)) {
      assertThat(embedder.config().pooling()).isEqualTo(Pooling.LAST_TOKEN);
      assertThat(embedder.config().tokensMax()).isEqualTo(2000);
      float[] vector = embedder.embedTokens(List.of(tokens)).getFirst();
      assertThat(vector).isEqualTo(hidden(tokens).rows(39, 40).toArray());
    }
  }

  @Test
  void theMeanOfLongTextsIsTheMeanOfAllTheirTokens() throws IOException {
    pooling("mean_tokens");
    int[] tokens = LlamaFixtures.tokens(1100, 250, 4);
    try (Embedder embedder = Embedder.open(folder, kernels, Profile.F32_V1)) {
      float[] vector = embedder.embedTokens(List.of(tokens)).getFirst();
      Tensor states = hidden(tokens);
      for (int c = 0; c < vector.length; c++) {
        float sum = states.get(0, c);
        for (int row = 1; row < 1100; row++) {
          sum += states.get(row, c);
        }
        assertThat(vector[c]).isEqualTo(sum / 1100);
      }
    }
  }

  @Test
  void aTextHasTheSameBitsAloneAndInAnyCompany() throws IOException {
    Files.writeString(
        folder.resolve("modules.json"),
        """
        [{"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
         {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]
        """);
    List<int[]> sequences = new ArrayList<>();
    for (int length : new int[] {5, 700, 31, 32, 33, 600, 1, 200, 513, 512, 64}) {
      sequences.add(LlamaFixtures.tokens(length, 250, length));
    }
    for (Profile profile : Profile.values()) {
      try (Embedder embedder = Embedder.open(folder, kernels, profile)) {
        List<float[]> together = embedder.embedTokens(sequences);
        for (int i = 0; i < sequences.size(); i++) {
          assertThat(embedder.embedTokens(List.of(sequences.get(i))).getFirst())
              .as("%s, sequence %d", profile, i)
              .isEqualTo(together.get(i));
        }
        double length = 0;
        for (float component : together.getFirst()) {
          length += (double) component * component;
        }
        assertThat(length).isCloseTo(1, within(1e-6));
      }
    }
  }

  @Test
  void aDeviceGivesTheVectorsOfTheCpuAndRunsNoHead() throws IOException {
    List<int[]> sequences = new ArrayList<>();
    for (int length : new int[] {5, 33, 1}) {
      sequences.add(LlamaFixtures.tokens(length, 250, length));
    }
    for (String mode : List.of("lasttoken", "mean_tokens")) {
      pooling(mode);
      InterpretedAccelerator device = new InterpretedAccelerator(Architecture.HOPPER);
      EncoderLoader onDevice = new InterpretedEncoders(device);
      try (Embedder cpu = Embedder.open(folder, kernels, Profile.I8_V1);
          Embedder gpu = Embedder.open(folder, kernels, Profile.I8_V1, onDevice)) {
        List<float[]> expected = cpu.embedTokens(sequences);
        List<float[]> vectors = gpu.embedTokens(sequences);
        for (int i = 0; i < sequences.size(); i++) {
          assertThat(vectors.get(i)).as("%s, sequence %d", mode, i).isEqualTo(expected.get(i));
        }
      }
      assertThat(device.launched()).contains("attention_tiles_64").doesNotContain("argmax");
      Files.delete(folder.resolve("1_Pooling/config.json"));
    }
    pooling("lasttoken");
  }

  @Test
  void aPromptStandsBeforeEveryTextAndLongOnesAreCut() throws IOException {
    Files.writeString(
        folder.resolve("config_sentence_transformers.json"),
        "{\"prompts\": {\"q\": \"a few \"}, \"default_prompt_name\": \"q\"}");
    Files.writeString(folder.resolve("sentence_bert_config.json"), "{\"max_seq_length\": 9}");
    int[] prompted;
    try (Embedder embedder = Embedder.open(folder, kernels, Profile.F32_V1)) {
      assertThat(embedder.tokens("xyzxyzxyzxyz")).hasSize(9);
      assertThatThrownBy(() -> embedder.embedTokens(List.of(new int[10])))
          .hasMessageContaining("at most 9");
      prompted = embedder.tokens("words");
    }
    Files.delete(folder.resolve("config_sentence_transformers.json"));
    try (Embedder plain = Embedder.open(folder, kernels, Profile.F32_V1)) {
      assertThat(prompted).isEqualTo(plain.tokens("a few words"));
    }
  }

  private void pooling(String mode) throws IOException {
    Files.createDirectories(folder.resolve("1_Pooling"));
    Files.writeString(
        folder.resolve("1_Pooling/config.json"), "{\"pooling_mode_" + mode + "\": true}");
  }

  /// The states of all tokens, in one step.
  private Tensor hidden(int[] tokens) {
    int pages = KeyValuePages.pagesFor(tokens.length);
    int[] table = new int[pages];
    for (int page = 0; page < pages; page++) {
      table[page] = page;
    }
    try (LlamaWeights weights = LlamaWeights.open(folder);
        CpuStepRunner runner =
            new CpuStepRunner(
                kernels,
                weights,
                Profile.F32_V1,
                new CpuStepRunner.Sizes(pages, tokens.length, tokens.length))) {
      return runner
          .run(new Step(tokens, List.of(new Segment(0, tokens.length, 0, table, tokens.length))))
          .hidden()
          .copy();
    }
  }
}

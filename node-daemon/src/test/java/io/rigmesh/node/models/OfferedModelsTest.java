package io.rigmesh.node.models;

import static io.rigmesh.protocol.JobKind.EMBED;
import static io.rigmesh.protocol.JobKind.GENERATE;
import static io.rigmesh.protocol.JobKind.TRAIN;
import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.node.blob.FileBlobs;
import io.rigmesh.node.config.BlobsConfig;
import io.rigmesh.node.models.OfferedModels.OfferedModel;
import io.rigmesh.node.store.Database;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.JobKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class OfferedModelsTest {
  private static final String DECODER =
      """
      {"model_type": "%s", "architectures": ["%s"], "vocab_size": 100, "hidden_size": 32,
       "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
       "intermediate_size": 48, "max_position_embeddings": 128%s}
      """;
  private static final String BERT =
      """
      {"model_type": "bert", "vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2,
       "num_attention_heads": 4, "intermediate_size": 48, "max_position_embeddings": 128,
       "type_vocab_size": 2, "layer_norm_eps": 1e-12, "_name_or_path": "a little BERT"}
      """;

  @TempDir Path folder;
  private Database database;
  private JobStore store;
  private FileBlobs blobs;

  @BeforeEach
  void open() {
    database = Database.open(folder.resolve("rigmesh.db"));
    store = new JobStore(database, Clock.systemUTC(), 1_000);
    blobs = FileBlobs.open(folder.resolve("blobs"), new BlobsConfig(8L << 20, 0));
  }

  @AfterEach
  void close() {
    store.close();
    database.close();
  }

  static Stream<Arguments> families() {
    return Stream.of(
        Arguments.of("llama", "Llama", "", List.of(GENERATE, TRAIN)),
        Arguments.of("mistral", "Mistral", "", List.of(GENERATE, TRAIN)),
        Arguments.of("mistral", "Mistral", ", \"sliding_window\": 64", List.of(GENERATE)),
        Arguments.of("qwen2", "Qwen2", "", List.of(GENERATE)),
        Arguments.of("qwen3", "Qwen3", "", List.of(GENERATE)),
        Arguments.of("smollm3", "SmolLM3", "", List.of(GENERATE)));
  }

  @ParameterizedTest
  @MethodSource("families")
  void everyFamilyThatTheEngineRunsIsOfferedForWhatItCan(
      String type, String prefix, String more, List<JobKind> kinds) throws IOException {
    String config = DECODER.formatted(type, prefix + "ForCausalLM", more);
    assertThat(offered(config, "tokenizer.json"))
        .singleElement()
        .satisfies(model -> {
          assertThat(model.name()).isEqualTo(type);
          assertThat(model.kinds()).isEqualTo(kinds);
        });
  }

  @Test
  void aDecoderWhoseFolderSaysHowEmbedsToo() throws IOException {
    String qwen = DECODER.formatted("qwen3", "Qwen3ForCausalLM", "");
    assertThat(offered(qwen, "modules.json"))
        .singleElement()
        .satisfies(model -> assertThat(model.kinds()).containsExactly(GENERATE, EMBED));
  }

  @Test
  void aDecoderWithoutAHeadOnlyEmbeds() throws IOException {
    String bare = DECODER.formatted("qwen3", "Qwen3Model", "");
    assertThat(offered(bare, "1_Pooling/config.json"))
        .singleElement()
        .satisfies(model -> assertThat(model.kinds()).containsExactly(EMBED));
  }

  @Test
  void aDecoderThatCanDoNothingIsNotOffered() throws IOException {
    assertThat(offered(DECODER.formatted("qwen3", "Qwen3Model", ""), "tokenizer.json")).isEmpty();
  }

  @Test
  void aBertEmbedsUnderItsName() throws IOException {
    assertThat(offered(BERT, "tokenizer.json"))
        .singleElement()
        .satisfies(model -> {
          assertThat(model.name()).isEqualTo("a little BERT");
          assertThat(model.kinds()).containsExactly(EMBED);
        });
  }

  @Test
  void whatTheEngineRefusesIsNotOffered() throws IOException {
    assertThat(offered(DECODER.formatted("gpt2", "GPT2LMHeadModel", ""), "tokenizer.json"))
        .isEmpty();
    assertThat(
            offered(
                DECODER.formatted("llama", "LlamaForCausalLM", ", \"mlp_bias\": true"),
                "tokenizer.json"))
        .isEmpty();
    assertThat(offered("not JSON", "tokenizer.json")).isEmpty();
  }

  private List<OfferedModel> offered(String config, String otherFile) throws IOException {
    Path model = Files.createTempDirectory(folder, "model");
    Files.writeString(model.resolve("config.json"), config);
    Files.writeString(model.resolve("model.safetensors"), "weights are not opened");
    Path other = model.resolve(otherFile);
    Files.createDirectories(other.getParent());
    Files.writeString(other, "{}");
    FolderManifest manifest = blobs.importFolder(model);
    OfferedModels models = new OfferedModels(store, blobs, true);
    models.remember(manifest);
    return models.list().stream().filter(m -> m.root().equals(manifest.root())).toList();
  }
}

package io.rigmesh.node.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.node.blob.FileBlobs;
import io.rigmesh.node.config.BlobsConfig;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Task;
import io.rigmesh.scheduler.estimate.ModelShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelShapesTest {
  private static final Task GENERATE = new Task.Generate(4, 0, 0, 1);
  private static final Task TRAIN =
      new Task.Train(10, 1, 2, 0.1f, 0, 0f, 1f, 5, 1, Optional.empty());
  private static final String QWEN =
      """
      {"model_type": "qwen3", "vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2,
       "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
       "intermediate_size": 48, "max_position_embeddings": 128, "tie_word_embeddings": true}
      """;
  private static final String BERT =
      """
      {"model_type": "bert", "vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2,
       "num_attention_heads": 4, "intermediate_size": 48, "max_position_embeddings": 128,
       "type_vocab_size": 2, "layer_norm_eps": 1e-12}
      """;

  @TempDir Path folder;
  private FileBlobs blobs;
  private ModelShapes shapes;

  @BeforeEach
  void open() {
    blobs = FileBlobs.open(folder.resolve("blobs"), new BlobsConfig(8L << 20, 0));
    shapes = new ModelShapes(blobs);
  }

  private Hash model(String config) throws IOException {
    Path model = Files.createTempDirectory(folder, "model");
    Files.writeString(model.resolve("config.json"), config);
    Files.write(model.resolve("model.safetensors"), new byte[4_000]);
    return blobs.importFolder(model).root();
  }

  @Test
  void aDecoderIsAsLargeInMemoryAsItsConfigSaysHoweverItIsStored() throws IOException {
    // Four projections, two head norms, SwiGLU and two norms a layer; the table and the last norm.
    long layer = 2 * 32 * 64 + 2 * 32 * 32 + 2 * 16 + 3 * 32 * 48 + 2 * 32;
    assertThat(shapes.of(GENERATE, model(QWEN)))
        .contains(new ModelShape(100 * 32 + 2 * layer + 32, 2, 32, 32, 48, 100));
  }

  @Test
  void aBertIsAsLargeAsItsFile() throws IOException {
    assertThat(shapes.of(new Task.Embed(), model(BERT)))
        .contains(new ModelShape(1_000, 2, 32, 32, 48, 100));
  }

  @Test
  void whatCannotBeDoneWithAModelIsSaidBeforeMoneyIsLocked() throws IOException {
    Hash qwen = model(QWEN);
    assertThatThrownBy(() -> shapes.of(TRAIN, qwen))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("only plain Llamas are trained")
        .hasMessageContaining("normed");
    Hash bert = model(BERT);
    assertThatThrownBy(() -> shapes.of(GENERATE, bert))
        .hasMessageContaining("a BERT, which embeds");
    Hash other = model(QWEN.replace("qwen3", "gpt2"));
    assertThatThrownBy(() -> shapes.of(GENERATE, other))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("model_type");
    Hash broken = model("{");
    assertThatThrownBy(() -> shapes.of(GENERATE, broken)).isInstanceOf(MalformedException.class);
  }
}

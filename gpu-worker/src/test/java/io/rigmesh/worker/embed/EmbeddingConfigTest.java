package io.rigmesh.worker.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.worker.format.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddingConfigTest {

  @TempDir Path folder;

  @Test
  void whatIsWrittenIsReadBack() {
    for (Pooling pooling : Pooling.values()) {
      for (boolean normalized : new boolean[] {false, true}) {
        EmbeddingConfig config = new EmbeddingConfig(pooling, normalized, 100);
        config.write(folder, 8);
        assertThat(EmbeddingConfig.read(folder, 512)).isEqualTo(config);
      }
    }
  }

  @Test
  void aFolderThatSaysNothingMeansThePlainMean() {
    assertThat(EmbeddingConfig.read(folder, 512))
        .isEqualTo(new EmbeddingConfig(Pooling.MEAN, false, 512));
  }

  @Test
  void theFilesOfTheRealModelAreRead() throws IOException {
    // As sentence-transformers/all-MiniLM-L6-v2 has them.
    write(
        "modules.json",
        """
        [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
         {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
         {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]
        """);
    write("sentence_bert_config.json", "{\"max_seq_length\": 256, \"do_lower_case\": false}");
    write(
        "1_Pooling/config.json",
        """
        {"word_embedding_dimension": 384, "pooling_mode_cls_token": false,
         "pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": false,
         "pooling_mode_mean_sqrt_len_tokens": false}
        """);
    assertThat(EmbeddingConfig.read(folder, 512))
        .isEqualTo(new EmbeddingConfig(Pooling.MEAN, true, 256));
  }

  @Test
  void whatIsNotSupportedIsRefusedWithItsField() throws IOException {
    write("1_Pooling/config.json", "{\"pooling_mode_max_tokens\": true}");
    refused("pooling_mode_max_tokens at byte 28");
    write("1_Pooling/config.json", "{}");
    refused("exactly one of");
    write("1_Pooling/config.json", "{\"pooling_mode_cls_token\": true}");
    write("sentence_bert_config.json", "{\"max_seq_length\": 1024}");
    refused("max_seq_length");
    write("sentence_bert_config.json", "{\"max_seq_length\": null}");
    assertThat(EmbeddingConfig.read(folder, 512).tokensMax()).isEqualTo(512);
    write("modules.json", "[{\"type\": \"sentence_transformers.models.Dense\"}]");
    refused("[0].type");
    write(
        "modules.json",
        "[{\"path\": \"../x\", \"type\": \"sentence_transformers.models.Pooling\"}]");
    refused("[0].path");
  }

  @Test
  void theFilesOfADecoderThatEmbedsAreRead() throws IOException {
    // As Qwen3-Embedding has them, with a prompt by default.
    write("1_Pooling/config.json", "{\"pooling_mode_lasttoken\": true, \"include_prompt\": true}");
    write(
        "config_sentence_transformers.json",
        "{\"prompts\": {\"query\": \"Instruct: \", \"document\": \"\"}, \"default_prompt_name\": null}");
    assertThat(EmbeddingConfig.read(folder, 32768, 8192))
        .isEqualTo(new EmbeddingConfig(Pooling.LAST_TOKEN, false, 8192));
    write(
        "config_sentence_transformers.json",
        "{\"prompts\": {\"query\": \"Instruct: \"}, \"default_prompt_name\": \"query\"}");
    assertThat(EmbeddingConfig.read(folder, 512).prompt()).isEqualTo("Instruct: ");
    write("1_Pooling/config.json", "{\"pooling_mode_lasttoken\": true, \"include_prompt\": false}");
    refused("include_prompt");
  }

  private void refused(String text) {
    assertThatThrownBy(() -> EmbeddingConfig.read(folder, 512))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining(text);
  }

  private void write(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }
}

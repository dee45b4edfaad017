package io.rigmesh.worker.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertConfig;
import io.rigmesh.worker.format.ModelFolder;
import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.format.SourceFile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.tokenizer.BpeTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddingModelImportTest {

  @TempDir Path folder;

  @Test
  void theImportedFolderIsWhatHuggingFaceHas() throws IOException {
    Path model = MiniLm.folder();
    TreeSet<String> files = new TreeSet<>();
    try (Stream<Path> all = Files.walk(model)) {
      all.filter(Files::isRegularFile)
          .forEach(file -> files.add(model.relativize(file).toString()));
    }
    assertThat(files)
        .containsExactly(
            "1_Pooling/config.json",
            "config.json",
            "model.safetensors",
            "modules.json",
            "sentence_bert_config.json",
            "tokenizer.json");
    try (ModelFolder opened = ModelFolder.open(model)) {
      assertThat(BertConfig.read(opened.config()))
          .isEqualTo(new BertConfig(30522, 384, 6, 12, 1536, 512, 2, 1e-12f));
      assertThat(opened.names()).hasSize(5 + 6 * 16);
      assertThat(opened.floats("encoder.layer.5.intermediate.dense.weight", 1536, 384))
          .hasSize(589824);
    }
  }

  @Test
  void plainFilesAndEntriesOfAJarGiveTheSameFolder() throws IOException {
    Path onnx = Files.write(folder.resolve("model.onnx"), MiniLm.onnx());
    Path model = folder.resolve("model");
    EmbeddingModelImport.usual()
        .run(
            SourceFile.parse(onnx.toString()),
            SourceFile.parse(MiniLm.folder().resolve("tokenizer.json").toString()),
            model);
    for (String name : List.of("model.safetensors", "config.json", "tokenizer.json")) {
      assertThat(Files.mismatch(model.resolve(name), MiniLm.folder().resolve(name))).isEqualTo(-1);
    }
  }

  @Test
  void poolingNormalisationAndLengthAreTheCallersToChoose() {
    Path model = folder.resolve("cls");
    new EmbeddingModelImport(Pooling.CLS, false, OptionalInt.of(64))
        .run(MiniLm.onnxSource(), MiniLm.tokenizerSource(), model);
    try (Kernels kernels = new VectorKernels(1);
        Embedder embedder = Embedder.open(model, kernels, Profile.F32_V1)) {
      assertThat(embedder.config()).isEqualTo(new EmbeddingConfig(Pooling.CLS, false, 64));
      assertThat(embedder.tokens("cat ".repeat(100))).hasSize(64);
      float[] vector = embedder.embed(List.of("A cat.")).getFirst();
      double squares = 0;
      for (float value : vector) {
        squares += (double) value * value;
      }
      assertThat(squares).isGreaterThan(2);
    }
  }

  @Test
  void aSourceThatIsMissingIsRefusedByName() {
    assertRefused("nothing.onnx", MiniLm.tokenizerSource().toString(), "nothing.onnx: field file");
    String jar = MiniLm.onnxSource().file().toString();
    assertRefused(
        jar + "!/nothing.onnx", MiniLm.tokenizerSource().toString(), "no entry of that name");
    assertRefused(
        MiniLm.folder().resolve("config.json") + "!/x.onnx",
        MiniLm.tokenizerSource().toString(),
        "is no zip");
    assertThat(folder.resolve("model").resolve("config.json")).doesNotExist();
  }

  @Test
  void aTokenizerOfAnotherModelIsRefused() {
    Path tokenizer = folder.resolve("tokenizer.json");
    String[] special = new String[30_300];
    Arrays.setAll(special, i -> "<" + i + ">");
    new BpeTrainer(30_300 + 256, 2, List.of(special)).train().write(tokenizer);
    assertRefused(MiniLm.onnxSource().toString(), tokenizer.toString(), "30556 tokens");
    assertThat(folder.resolve("model").resolve("config.json")).doesNotExist();
  }

  private void assertRefused(String onnx, String tokenizer, String text) {
    assertThatThrownBy(() ->
            EmbeddingModelImport.usual()
                .run(SourceFile.parse(onnx), SourceFile.parse(tokenizer), folder.resolve("model")))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining(text);
  }

  @Test
  void aFolderThatHoldsAModelIsNotOverwritten() {
    assertThatThrownBy(() ->
            EmbeddingModelImport.usual()
                .run(MiniLm.onnxSource(), MiniLm.tokenizerSource(), MiniLm.folder()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("already holds a model");
  }
}

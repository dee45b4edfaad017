package io.rigmesh.worker.bert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.worker.bert.TinyOnnx.LinearDialect;
import io.rigmesh.worker.format.ModelFolder;
import io.rigmesh.worker.format.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BertImportTest {

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(LinearDialect.class)
  void everyWeightIsFoundInEveryDialectOfLinearLayers(LinearDialect dialect) throws IOException {
    TinyOnnx onnx = new TinyOnnx(dialect, "");
    importAndCompare(onnx);
  }

  @Test
  void aNamePrefixIsTakenOff() throws IOException {
    importAndCompare(new TinyOnnx(LinearDialect.FOLDED, "0.auto_model."));
  }

  private void importAndCompare(TinyOnnx onnx) throws IOException {
    BertConfig config = BertImport.write(file(onnx.bytes()), "tiny.onnx", folder);
    assertThat(config).isEqualTo(TinyOnnx.CONFIG);
    config.write(folder, 0);
    try (ModelFolder model = ModelFolder.open(folder)) {
      assertThat(BertConfig.read(model.config())).isEqualTo(TinyOnnx.CONFIG);
      assertThat(model.names()).isEqualTo(onnx.weights().keySet());
      BertTensors.shapes(config)
          .forEach((name, shape) ->
              assertThat(model.floats(name, shape)).as(name).isEqualTo(onnx.weights().get(name)));
    }
  }

  @Test
  void graphsThatAreNoPlainBertAreRefusedBySayingWhatIsMissing() throws IOException {
    refused(
        new TinyOnnx(LinearDialect.FOLDED, "")
            .withOperators(op -> op.equals("MatMul") ? "MatMulInteger" : op),
        "quantisation");
    refused(
        new TinyOnnx(LinearDialect.FOLDED, "").withOperators(op -> op.equals("Erf") ? "Tanh" : op),
        "activation");
    refused(
        new TinyOnnx(LinearDialect.FOLDED, "").withOperators(op -> op.equals("Sqrt") ? "Exp" : op),
        "layer_norm_eps");
    refused(
        new TinyOnnx(LinearDialect.FOLDED, "")
            .withOperators(op -> op.equals("Reshape") ? "Flatten" : op),
        "num_attention_heads");
    refused(
        new TinyOnnx(LinearDialect.FOLDED, "")
            .withOperators(op -> op.equals("MatMul") ? "Einsum" : op),
        "encoder.layer.0.attention.self.query.weight");
  }

  private void refused(TinyOnnx onnx, String text) throws IOException {
    Path file = file(onnx.bytes());
    assertThatThrownBy(() -> BertImport.write(file, "tiny.onnx", folder))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageStartingWith("tiny.onnx: ")
        .hasMessageContaining(text);
    assertThat(folder.resolve("model.safetensors")).doesNotExist();
  }

  @Test
  void filesThatAreNoOnnxAreRefused() throws IOException {
    for (String text : new String[] {"", "not onnx at all", "PK\u0003\u0004"}) {
      Path file = file(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
      assertThatThrownBy(() -> BertImport.write(file, "text.onnx", folder))
          .isInstanceOf(ModelFormatException.class)
          .hasMessageStartingWith("text.onnx: ");
    }
  }

  private Path file(byte[] bytes) throws IOException {
    return Files.write(folder.resolve("tiny.onnx"), bytes);
  }
}

package io.rigmesh.worker.bert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.TinyOnnx.LinearDialect;
import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.ScalarKernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BertEncoderTest {

  @TempDir Path folder;
  private final Kernels kernels = new ScalarKernels();

  @BeforeEach
  void importATinyModel() throws IOException {
    Path onnx =
        Files.write(folder.resolve("tiny.onnx"), new TinyOnnx(LinearDialect.FOLDED, "").bytes());
    BertImport.write(onnx, "tiny.onnx", folder).write(folder, 0);
  }

  private BertEncoder encoder() {
    try (BertWeights weights = BertWeights.open(folder)) {
      return new BertEncoder(weights, kernels, Profile.F32_V1, 64);
    }
  }

  @Test
  void sequencesOfAPassDoNotTouchEachOther() {
    BertEncoder encoder = encoder();
    int[] pass = {1, 2, 3, 4, 5, 1, 2, 3, 9};
    float[] together = encoder.encode(pass, new int[] {3, 2, 3, 1}).toArray();
    float[] alone = encoder.encode(new int[] {1, 2, 3}, new int[] {3}).toArray();
    float[] last = encoder.encode(new int[] {9}, new int[] {1}).toArray();
    assertThat(java.util.Arrays.copyOfRange(together, 0, 24)).isEqualTo(alone);
    assertThat(java.util.Arrays.copyOfRange(together, 40, 64)).isEqualTo(alone);
    assertThat(java.util.Arrays.copyOfRange(together, 64, 72)).isEqualTo(last);
  }

  @Test
  void theOrderOfTokensMatters() {
    BertEncoder encoder = encoder();
    float[] one = encoder.encode(new int[] {1, 2, 3}, new int[] {3}).rows(0, 1).toArray();
    float[] other = encoder.encode(new int[] {1, 3, 2}, new int[] {3}).rows(0, 1).toArray();
    assertThat(one).isNotEqualTo(other);
  }

  @Test
  void inputsThatTheModelCannotTakeAreRefused() {
    BertEncoder encoder = encoder();
    assertThatThrownBy(() -> encoder.encode(new int[] {300}, new int[] {1}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("token 300");
    assertThatThrownBy(() -> encoder.encode(new int[33], new int[] {33}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("33 tokens");
    assertThatThrownBy(() -> encoder.encode(new int[2], new int[] {0, 2}))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> encoder.encode(new int[2], new int[] {1}))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> encoder.encode(new int[90], new int[] {30, 30, 30}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("room for 64");
    assertThatThrownBy(() -> encoder.encode(new int[0], new int[0]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aConfigThatDoesNotFitIsRefusedWithItsField() throws IOException {
    refused("\"hidden_size\" : 8", "\"hidden_size\" : 16", "weight.shape");
    refused("\"hidden_act\" : \"gelu\"", "\"hidden_act\" : \"relu\"", "hidden_act");
    refused("\"num_attention_heads\" : 2", "\"num_attention_heads\" : 3", "num_attention_heads");
    refused("\"num_hidden_layers\" : 2", "\"num_hidden_layers\" : 3", "encoder.layer.2");
    refused("\"model_type\" : \"bert\"", "\"model_type\" : \"roberta\"", "model_type");
    refused("\"vocab_size\" : 300", "\"vocab_size\" : \"many\"", "vocab_size");
    refused("\"vocab_size\" : 300", "\"vocab_size\" : 99999999999999999999", "vocab_size");
    refused("\"layer_norm_eps\"", "\"layer_norm_epsilon\"", "layer_norm_eps");
  }

  private void refused(String text, String replacement, String field) throws IOException {
    Path config = folder.resolve("config.json");
    String valid = Files.readString(config);
    assertThat(valid).contains(text);
    Files.writeString(config, valid.replace(text, replacement));
    assertThatThrownBy(this::encoder)
        .isInstanceOf(ModelFormatException.class)
        .hasMessageStartingWith(folder.toString())
        .hasMessageContaining(field);
    Files.writeString(config, valid);
  }
}

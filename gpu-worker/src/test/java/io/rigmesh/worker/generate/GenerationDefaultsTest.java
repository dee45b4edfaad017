package io.rigmesh.worker.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.llama.LlamaConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GenerationDefaultsTest {
  private static final LlamaConfig CONFIG =
      new LlamaConfig(
          100, 8, 1, 2, 2, 4, 8, 16, 1e4, 1e-5f, true, OptionalInt.of(1), List.of(2, 3));

  @TempDir Path folder;

  @Test
  void aPublishedFileIsRead() throws IOException {
    GenerationDefaults defaults =
        read(
            """
            {"bos_token_id": 43, "pad_token_id": 43, "do_sample": true, "eos_token_id": [45, 43],
             "repetition_penalty": 1.05, "temperature": 0.7, "top_p": 0.8, "top_k": 20,
             "transformers_version": "4.37.0"}
            """);
    assertThat(defaults.temperature()).contains(0.7f);
    assertThat(defaults.topP()).contains(0.8f);
    assertThat(defaults.topK()).hasValue(20);
    assertThat(defaults.minP()).isEmpty();
    assertThat(defaults.repetitionPenalty()).contains(1.05f);
    assertThat(defaults.beginTokenId()).hasValue(43);
    assertThat(defaults.endTokens(CONFIG)).containsExactlyInAnyOrder(43, 45);
  }

  @Test
  void whereNothingIsSaidTheConfigsEndsHold() throws IOException {
    assertThat(GenerationDefaults.read(folder, 100)).isEqualTo(GenerationDefaults.NONE);
    assertThat(GenerationDefaults.NONE.endTokens(CONFIG)).containsExactlyInAnyOrder(2, 3);
    assertThat(read("{\"eos_token_id\": 7}").endTokens(CONFIG)).containsExactly(7);
  }

  @Test
  void withoutSamplingTheTemperatureIsZeroAndNoTopKMeansAll() throws IOException {
    GenerationDefaults defaults =
        read("{\"do_sample\": false, \"temperature\": 0.6, \"top_k\": 0}");
    assertThat(defaults.temperature()).contains(0f);
    assertThat(defaults.topK()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "temperature, -1",
    "top_p, 1.5",
    "top_k, -3",
    "repetition_penalty, 0",
    "eos_token_id, 100",
    "bos_token_id, '\"one\"'",
  })
  void whatIsOutOfRangeIsNamed(String field, String value) {
    assertThatThrownBy(() -> read("{\"" + field + "\": " + value + "}"))
        .isInstanceOfSatisfying(
            ModelFormatException.class, e -> assertThat(e.field()).isEqualTo(field));
  }

  private GenerationDefaults read(String json) throws IOException {
    Files.writeString(folder.resolve(GenerationDefaults.FILE), json);
    return GenerationDefaults.read(folder, 100);
  }
}

package io.rigmesh.worker.embed;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.rigmesh.worker.format.AtomicFile;
import io.rigmesh.worker.format.JsonField;
import io.rigmesh.worker.format.ModelFolder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/// What a sentence-transformers folder says beside the encoder's config: `modules.json`,
/// `1_Pooling/config.json`, `sentence_bert_config.json` and `config_sentence_transformers.json`.
///
/// @param pooling how token vectors become a sentence's
/// @param normalized whether the sentence's vector is scaled to length one
/// @param tokensMax how many tokens of a sentence count, special ones included; the rest is cut off
/// @param prompt what stands before every text; mostly nothing
public record EmbeddingConfig(Pooling pooling, boolean normalized, int tokensMax, String prompt) {

  private static final String MODULES = "modules.json";
  private static final String POOLING = "1_Pooling";
  private static final String SENTENCE = "sentence_bert_config.json";
  private static final String PROMPTS = "config_sentence_transformers.json";
  private static final String TYPES = "sentence_transformers.models.";
  private static final String CLS_TOKEN = "pooling_mode_cls_token";
  private static final String MEAN_TOKENS = "pooling_mode_mean_tokens";
  private static final String LAST_TOKEN = "pooling_mode_lasttoken";
  private static final List<String> UNSUPPORTED =
      List.of(
          "pooling_mode_max_tokens",
          "pooling_mode_mean_sqrt_len_tokens",
          "pooling_mode_weightedmean_tokens");

  /// Without a prompt.
  public EmbeddingConfig(Pooling pooling, boolean normalized, int tokensMax) {
    this(pooling, normalized, tokensMax, "");
  }

  /// Whether the files of a folder say that its model is made for embedding.
  ///
  /// @param paths relative, with slashes
  public static boolean isIn(Collection<String> paths) {
    return paths.contains(MODULES) || paths.contains(POOLING + "/config.json");
  }

  /// As [#read(Path, int, int)], with the longest sequence for the usual one.
  public static EmbeddingConfig read(Path folder, int positionsMax) {
    return read(folder, positionsMax, positionsMax);
  }

  /// Reads what is there. As in sentence-transformers, a folder without these files means the mean
  /// of all tokens, not normalised, of as many tokens as the encoder takes.
  ///
  /// @param positionsMax the longest sequence that the encoder takes
  /// @param tokensUsual how many tokens count where the folder does not say
  /// @throws io.rigmesh.worker.format.ModelFormatException when a file asks for something else than
  ///   this class can say
  public static EmbeddingConfig read(Path folder, int positionsMax, int tokensUsual) {
    boolean normalized = false;
    Path poolingFolder = folder.resolve(POOLING);
    if (Files.exists(folder.resolve(MODULES))) {
      JsonField modules = JsonField.read(folder.resolve(MODULES), ModelFolder.CONFIG_BYTES_MAX);
      for (JsonField module : modules.items()) {
        JsonField type = module.member("type");
        switch (type.text()) {
          case TYPES + "Transformer" -> {}
          case TYPES + "Pooling" -> {
            JsonField path = module.member("path");
            if (!path.text().matches("[A-Za-z0-9_]+")) {
              throw path.unfit("must be the plain name of a folder beside modules.json");
            }
            poolingFolder = folder.resolve(path.text());
          }
          case TYPES + "Normalize" -> normalized = true;
          default -> throw type.unfit("is a module that is not supported");
        }
      }
    }
    int tokensMax = tokensUsual;
    if (Files.exists(folder.resolve(SENTENCE))) {
      JsonField sentence = JsonField.read(folder.resolve(SENTENCE), ModelFolder.CONFIG_BYTES_MAX);
      tokensMax =
          sentence
              .find("max_seq_length")
              .map(field -> field.integer(8, positionsMax))
              .orElse(tokensUsual);
    }
    return new EmbeddingConfig(
        readPooling(poolingFolder), normalized, tokensMax, readPrompt(folder));
  }

  private static Pooling readPooling(Path folder) {
    Path file = folder.resolve("config.json");
    if (!Files.exists(file)) {
      return Pooling.MEAN;
    }
    JsonField config = JsonField.read(file, ModelFolder.CONFIG_BYTES_MAX);
    for (String mode : UNSUPPORTED) {
      config
          .find(mode)
          .filter(JsonField::flag)
          .ifPresent(flag -> {
            throw flag.unfit(
                "is true; only the mean, the CLS token and the last token are supported");
          });
    }
    config
        .find("include_prompt")
        .filter(field -> !field.flag())
        .ifPresent(flag -> {
          throw flag.unfit("is false; prompts always count here");
        });
    List<Pooling> chosen = new ArrayList<>();
    for (Pooling pooling : Pooling.values()) {
      if (config.find(mode(pooling)).map(JsonField::flag).orElse(false)) {
        chosen.add(pooling);
      }
    }
    if (chosen.size() != 1) {
      throw config.unfit(
          "exactly one of "
              + CLS_TOKEN
              + ", "
              + MEAN_TOKENS
              + " and "
              + LAST_TOKEN
              + " must be true");
    }
    return chosen.getFirst();
  }

  private static String mode(Pooling pooling) {
    return switch (pooling) {
      case MEAN -> MEAN_TOKENS;
      case CLS -> CLS_TOKEN;
      case LAST_TOKEN -> LAST_TOKEN;
    };
  }

  /// The prompt that sentence-transformers puts before texts when it is asked for none.
  private static String readPrompt(Path folder) {
    Path file = folder.resolve(PROMPTS);
    if (!Files.exists(file)) {
      return "";
    }
    JsonField config = JsonField.read(file, ModelFolder.CONFIG_BYTES_MAX);
    return config
        .find("default_prompt_name")
        .map(name -> config.member("prompts").member(name.text()).text())
        .orElse("");
  }

  /// Writes the three files of a config without a prompt into a model folder.
  ///
  /// @param hiddenSize the length of the vectors
  void write(Path folder, int hiddenSize) {
    try {
      Files.createDirectories(folder.resolve(POOLING));
      if (normalized) {
        Files.createDirectories(folder.resolve("2_Normalize"));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make folders in " + folder + ": " + e.getMessage(), e);
    }
    AtomicFile.write(folder.resolve(POOLING).resolve("config.json"), poolingJson(hiddenSize));
    AtomicFile.write(
        folder.resolve(SENTENCE),
        json(generator -> {
          generator.writeStartObject();
          generator.writeNumberField("max_seq_length", tokensMax);
          generator.writeBooleanField("do_lower_case", false);
          generator.writeEndObject();
        }));
    AtomicFile.write(folder.resolve(MODULES), json(this::writeModules));
  }

  private byte[] poolingJson(int hiddenSize) {
    return json(generator -> {
      generator.writeStartObject();
      generator.writeNumberField("word_embedding_dimension", hiddenSize);
      generator.writeBooleanField(CLS_TOKEN, pooling == Pooling.CLS);
      generator.writeBooleanField(MEAN_TOKENS, pooling == Pooling.MEAN);
      for (String mode : UNSUPPORTED) {
        generator.writeBooleanField(mode, false);
      }
      generator.writeBooleanField(LAST_TOKEN, pooling == Pooling.LAST_TOKEN);
      generator.writeEndObject();
    });
  }

  private void writeModules(JsonGenerator generator) throws IOException {
    List<String> modules =
        normalized
            ? List.of("Transformer", "Pooling", "Normalize")
            : List.of("Transformer", "Pooling");
    generator.writeStartArray();
    for (int i = 0; i < modules.size(); i++) {
      String type = modules.get(i);
      generator.writeStartObject();
      generator.writeNumberField("idx", i);
      generator.writeStringField("name", String.valueOf(i));
      generator.writeStringField("path", i == 0 ? "" : i + "_" + type);
      generator.writeStringField("type", TYPES + type);
      generator.writeEndObject();
    }
    generator.writeEndArray();
  }

  private interface Content {
    void write(JsonGenerator generator) throws IOException;
  }

  private static byte[] json(Content content) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator generator =
        new JsonFactory().createGenerator(out).useDefaultPrettyPrinter()) {
      content.write(generator);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }
}

package io.rigmesh.worker.embed;

import io.rigmesh.worker.bert.BertConfig;
import io.rigmesh.worker.bert.BertImport;
import io.rigmesh.worker.format.AtomicFile;
import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.format.SourceFile;
import io.rigmesh.worker.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;

/// Makes a sentence-transformers style folder of an ONNX export and a `tokenizer.json`. Neither
/// says how vectors are pooled nor where texts are cut, so the caller does; `tokenizer.json`'s own
/// truncation is that of the export, which sentence-transformers overrides.
///
/// @param pooling how token vectors become a sentence's
/// @param normalized whether vectors are scaled to length one
/// @param tokensMax how many tokens of a text count; without a value [#TOKENS_MAX_USUAL], or the
///   model's positions if fewer
public record EmbeddingModelImport(Pooling pooling, boolean normalized, OptionalInt tokensMax) {

  /// What all-MiniLM-L6-v2 and most sentence-transformers models of its kind have as
  /// `max_seq_length`.
  public static final int TOKENS_MAX_USUAL = 256;

  private static final long ONNX_BYTES_MAX = 4L << 30;
  private static final long TOKENIZER_BYTES_MAX = 64L << 20;

  /// The usual settings: mean pooling, normalised.
  public static EmbeddingModelImport usual() {
    return new EmbeddingModelImport(Pooling.MEAN, true, OptionalInt.empty());
  }

  /// Writes the folder: config.json, model.safetensors, tokenizer.json, and what [EmbeddingConfig]
  /// reads.
  ///
  /// @param folder made if need be; must not hold a model yet
  /// @throws ModelFormatException when a source is malformed, or tokenizer and model do not fit
  ///   each other
  /// @throws IllegalArgumentException when the folder holds a model, or tokensMax is more than the
  ///   model's positions
  public void run(SourceFile onnx, SourceFile tokenizerJson, Path folder) {
    if (Files.exists(folder.resolve("config.json"))) {
      throw new IllegalArgumentException(folder + " already holds a model; choose another folder");
    }
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make " + folder + ": " + e.getMessage(), e);
    }
    Path tokenizerFile = folder.resolve("tokenizer.json");
    byte[] json = tokenizerJson.read(folder, TOKENIZER_BYTES_MAX, Files::readAllBytes);
    AtomicFile.write(tokenizerFile, json);
    int vocabularySize;
    int paddingToken;
    try (Tokenizer tokenizer = Tokenizer.open(tokenizerFile)) {
      vocabularySize = tokenizer.vocabularySize();
      paddingToken = tokenizer.addedToken("[PAD]").orElse(0);
    }
    BertConfig config =
        onnx.read(folder, ONNX_BYTES_MAX, file -> BertImport.write(file, onnx.toString(), folder));
    if (vocabularySize > config.vocabularySize()) {
      throw new ModelFormatException(
          tokenizerJson.toString(),
          "model.vocab",
          ModelFormatException.NO_OFFSET,
          "has "
              + vocabularySize
              + " tokens, but the model only "
              + config.vocabularySize()
              + "; give the tokenizer that belongs to the model");
    }
    int length = tokensMax.orElse(Math.min(TOKENS_MAX_USUAL, config.positionsMax()));
    if (length > config.positionsMax()) {
      throw new IllegalArgumentException(
          "tokensMax is " + length + ", the model has " + config.positionsMax() + " positions");
    }
    new EmbeddingConfig(pooling, normalized, length).write(folder, config.hiddenSize());
    // Last, because a folder with a config counts as a model.
    config.write(folder, paddingToken);
  }
}

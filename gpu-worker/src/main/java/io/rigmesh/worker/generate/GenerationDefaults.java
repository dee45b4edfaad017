package io.rigmesh.worker.generate;

import io.rigmesh.worker.format.JsonField;
import io.rigmesh.worker.format.ModelFolder;
import io.rigmesh.worker.llama.LlamaConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// What a model's makers suggest for generating with it: `generation_config.json` of a Hugging Face
/// folder. Suggestions are for whoever writes a job and says nothing else; they change no job that
/// is written. The tokens that end a text are the model's own, though, and hold for every job.
///
/// @param temperature suggested, 0 where the model is to choose its likeliest token; empty where
///   nothing is said
/// @param topK how many of the likeliest tokens are sampled from; empty where nothing is said, and
///   for all
/// @param topP the share of probability that is sampled from; empty where nothing is said
/// @param minP the share of the likeliest token's probability that others need; empty where nothing
///   is said
/// @param repetitionPenalty what tokens that are there already are made less likely by; empty where
///   nothing is said
/// @param beginTokenId what a text begins with, where it says so
/// @param endTokenIds the tokens that end a text; empty where `config.json` decides
public record GenerationDefaults(
    Optional<Float> temperature,
    OptionalInt topK,
    Optional<Float> topP,
    Optional<Float> minP,
    Optional<Float> repetitionPenalty,
    OptionalInt beginTokenId,
    List<Integer> endTokenIds) {
  /// The file's name.
  public static final String FILE = "generation_config.json";

  /// Nothing is said.
  public static final GenerationDefaults NONE =
      new GenerationDefaults(
          Optional.empty(),
          OptionalInt.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          OptionalInt.empty(),
          List.of());

  private static final int END_TOKENS_MAX = 64;

  /// Copies the list.
  public GenerationDefaults {
    endTokenIds = List.copyOf(endTokenIds);
  }

  /// Reads a folder's file; a folder without one says nothing.
  ///
  /// @param vocabularySize the tokens that the model has
  /// @throws io.rigmesh.worker.format.ModelFormatException when the file is malformed or a value is
  ///   out of range
  public static GenerationDefaults read(Path folder, int vocabularySize) {
    Path file = folder.resolve(FILE);
    if (!Files.exists(file)) {
      return NONE;
    }
    JsonField root = JsonField.read(file, ModelFolder.CONFIG_BYTES_MAX);
    boolean samples = root.find("do_sample").map(JsonField::flag).orElse(true);
    boolean saysSo = root.find("do_sample").isPresent();
    Optional<Float> temperature = number(root, "temperature", 0, 100);
    OptionalInt topK = OptionalInt.empty();
    Optional<JsonField> topKField = root.find("top_k");
    if (topKField.isPresent() && topKField.get().integer(0, Integer.MAX_VALUE) > 0) {
      topK = OptionalInt.of(topKField.get().integer(0, Integer.MAX_VALUE));
    }
    return new GenerationDefaults(
        saysSo && !samples ? Optional.of(0f) : temperature,
        topK,
        number(root, "top_p", 0, 1),
        number(root, "min_p", 0, 1),
        number(root, "repetition_penalty", 0.01, 100),
        root.find("bos_token_id")
            .map(field -> OptionalInt.of(field.integer(0, vocabularySize - 1)))
            .orElse(OptionalInt.empty()),
        endTokens(root, vocabularySize));
  }

  private static Optional<Float> number(JsonField root, String name, double min, double max) {
    return root.find(name).map(field -> (float) field.number(min, max));
  }

  private static List<Integer> endTokens(JsonField root, int vocabularySize) {
    Optional<JsonField> field = root.find("eos_token_id");
    if (field.isEmpty()) {
      return List.of();
    }
    List<JsonField> items = field.get().isArray() ? field.get().items() : List.of(field.get());
    if (items.size() > END_TOKENS_MAX) {
      throw field.get().unfit("names more than " + END_TOKENS_MAX + " tokens");
    }
    return items.stream().map(item -> item.integer(0, vocabularySize - 1)).toList();
  }

  /// The tokens that end a text with a model: those named here, or where none are, those of its
  /// `config.json`.
  public Set<Integer> endTokens(LlamaConfig config) {
    return Set.copyOf(endTokenIds.isEmpty() ? config.endTokenIds() : endTokenIds);
  }
}

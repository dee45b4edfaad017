package io.rigmesh.worker.task;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.format.AtomicFile;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaParameters;
import io.rigmesh.worker.tokenizer.BpeTrainer;
import io.rigmesh.worker.tokenizer.BpeVocabulary;
import io.rigmesh.worker.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;

/// The Hugging Face folder of a language model that this engine made: `config.json`,
/// `model.safetensors`, `tokenizer.json` and `generation_config.json`, each a function of the model
/// to the byte, so that the folder's root is, too.
public final class LanguageModelFolder {
  /// The name of the tokenizer's file.
  public static final String TOKENIZER = "tokenizer.json";

  /// The name of the weights' file.
  public static final String WEIGHTS = "model.safetensors";

  private static final String GENERATION_CONFIG = "generation_config.json";
  private static final String END_OF_TEXT = "<|endoftext|>";
  private static final int PAIR_FREQUENCY_MIN = 2;
  private static final double ROPE_THETA = 10_000.0;
  private static final float NORM_EPSILON = 1e-5f;
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private LanguageModelFolder() {}

  /// Writes the folder that a job for a new model starts from; its root is the receipt's model.
  ///
  /// The tokenizer is a byte-level BPE learnt from the text (pairs that stand in it at least twice,
  /// up to the vocabulary that the job asks for), with `<|endoftext|>` as token 0, which begins and
  /// ends texts. The weights are [LlamaParameters#initial] of the job's seed.
  ///
  /// @param text the training text
  /// @param folder made if need be
  /// @return the weights
  /// @throws InvalidJobException if the sizes fit no model
  public static LlamaParameters writeInitial(
      Task.Architecture architecture, int context, long seed, String text, Path folder) {
    Folders.make(folder);
    BpeVocabulary vocabulary =
        new BpeTrainer(architecture.vocabulary(), PAIR_FREQUENCY_MIN, List.of(END_OF_TEXT))
            .add(text)
            .train();
    LlamaConfig config = config(architecture, context, vocabulary.size());
    LlamaParameters parameters = LlamaParameters.initial(config, seed);
    vocabulary.write(folder.resolve(TOKENIZER));
    parameters.write(folder);
    writeGenerationConfig(config, folder);
    return parameters;
  }

  /// Writes `generation_config.json`: the tokens that begin and end texts.
  static void writeGenerationConfig(LlamaConfig config, Path folder) {
    ObjectNode root = JSON.createObjectNode();
    config.beginTokenId().ifPresent(id -> root.put("bos_token_id", id));
    List<Integer> ends = config.endTokenIds();
    if (ends.size() == 1) {
      root.put("eos_token_id", ends.getFirst());
    } else if (!ends.isEmpty()) {
      ends.forEach(root.putArray("eos_token_id")::add);
    }
    try {
      AtomicFile.write(folder.resolve(GENERATION_CONFIG), JSON.writeValueAsBytes(root));
    } catch (IOException e) {
      throw new UncheckedIOException("a tree of numbers is always JSON", e);
    }
  }

  /// Opens a folder's tokenizer for a model.
  ///
  /// @throws io.rigmesh.worker.format.ModelFormatException if it is missing or malformed
  /// @throws InvalidJobException if it has tokens that the model does not know
  public static Tokenizer tokenizer(Path folder, LlamaConfig config) {
    Tokenizer tokenizer = Tokenizer.open(folder.resolve(TOKENIZER));
    if (tokenizer.vocabularySize() > config.vocabularySize()) {
      int tokens = tokenizer.vocabularySize();
      tokenizer.close();
      throw new InvalidJobException(
          "%s: the tokenizer has %d tokens, but the model's vocab_size is %d; they do not belong together."
              .formatted(folder, tokens, config.vocabularySize()));
    }
    return tokenizer;
  }

  /// The largest model that the initial one can be: the text may give a smaller vocabulary than
  /// asked.
  static LlamaConfig configMax(Task.Architecture architecture, int context) {
    return config(architecture, context, architecture.vocabulary());
  }

  private static LlamaConfig config(Task.Architecture a, int context, int vocabularySize) {
    try {
      return new LlamaConfig(
          vocabularySize,
          a.dim(),
          a.layers(),
          a.heads(),
          a.kvHeads(),
          a.dim() / a.heads(),
          a.ffnDim(),
          context,
          ROPE_THETA,
          NORM_EPSILON,
          true,
          OptionalInt.of(0),
          List.of(0));
    } catch (IllegalArgumentException e) {
      throw new InvalidJobException(String.valueOf(e.getMessage()), e);
    }
  }
}

package io.rigmesh.worker.task;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.chat.ChatTemplate;
import io.rigmesh.worker.generate.GenerationDefaults;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.serve.Engine;
import io.rigmesh.worker.serve.EngineLimits;
import io.rigmesh.worker.serve.StepRunner;
import io.rigmesh.worker.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/// A language model that is loaded and generates for many at once. Safe for use by several threads;
/// close it when nobody generates any more.
public final class LanguageModel implements AutoCloseable {
  private final LlamaConfig config;
  private final Set<Integer> endTokens;
  private final Optional<ChatTemplate> chatTemplate;
  private final Tokenizer tokenizer;
  private final Engine engine;

  /// Brings weights onto a device.
  public interface Loader {
    /// Loads a model.
    ///
    /// @param limits how many sequences there will be at once
    StepRunner load(LlamaWeights weights, Profile profile, EngineLimits limits);
  }

  private LanguageModel(
      LlamaConfig config,
      Set<Integer> endTokens,
      Optional<ChatTemplate> chatTemplate,
      Tokenizer tokenizer,
      Engine engine) {
    this.config = config;
    this.endTokens = endTokens;
    this.chatTemplate = chatTemplate;
    this.tokenizer = tokenizer;
    this.engine = engine;
  }

  /// Loads a Hugging Face folder.
  ///
  /// @param host what samples; it stays the caller's to close
  /// @param loader where the weights go
  /// @throws io.rigmesh.worker.format.ModelFormatException if a file of the model is malformed
  /// @throws InvalidJobException if its tokenizer does not belong to it
  public static LanguageModel open(
      Path folder, Profile profile, Kernels host, Loader loader, EngineLimits limits) {
    try (LlamaWeights weights = LlamaWeights.open(folder)) {
      LlamaConfig config = weights.config();
      Set<Integer> endTokens =
          GenerationDefaults.read(folder, config.vocabularySize()).endTokens(config);
      Optional<ChatTemplate> chatTemplate = ChatTemplate.open(folder);
      Tokenizer tokenizer = LanguageModelFolder.tokenizer(folder, config);
      boolean complete = false;
      try {
        StepRunner runner = loader.load(weights, profile, limits);
        complete = true;
        return new LanguageModel(
            config, endTokens, chatTemplate, tokenizer, new Engine(runner, host, limits));
      } finally {
        if (!complete) {
          tokenizer.close();
        }
      }
    }
  }

  /// The tokens that end a text.
  public Set<Integer> endTokens() {
    return endTokens;
  }

  /// What makes prompts of chats, where the model has that.
  public Optional<ChatTemplate> chatTemplate() {
    return chatTemplate;
  }

  /// The model's sizes.
  public LlamaConfig config() {
    return config;
  }

  /// Its tokenizer.
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /// What generates.
  public Engine engine() {
    return engine;
  }

  /// Ends what still generates and frees everything.
  @Override
  public void close() {
    engine.close();
    tokenizer.close();
  }
}

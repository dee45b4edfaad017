package io.rigmesh.worker.embed;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertConfig;
import io.rigmesh.worker.bert.BertWeights;
import io.rigmesh.worker.format.JsonField;
import io.rigmesh.worker.format.ModelFolder;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.tensor.Tensor;
import io.rigmesh.worker.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Sentences to vectors, by the model of a sentence-transformers style folder: a BERT encoder, or a
/// decoder of the Llama family such as Qwen3-Embedding.
///
/// A sentence's vector is the same bits alone and in any company. Texts longer than the folder's
/// `max_seq_length` are cut to it, as sentence-transformers does. Not safe for use by several
/// threads; the kernels stay the caller's to close.
public final class Embedder implements AutoCloseable {

  /// How many tokens of a text a decoder reads where its folder names no length: what keys and
  /// values take grows with it, and a longer text is cut the same on every machine.
  private static final int DECODER_TOKENS_USUAL = 8192;

  private final EmbeddingConfig config;
  private final Tokenizer tokenizer;
  private final TokenEncoder encoder;
  private final Kernels kernels;

  private Embedder(
      EmbeddingConfig config, Tokenizer tokenizer, TokenEncoder encoder, Kernels kernels) {
    this.config = config;
    this.tokenizer = tokenizer;
    this.encoder = encoder;
    this.kernels = kernels;
  }

  /// Loads a folder's model.
  ///
  /// @param profile what the linear layers compute in
  /// @throws io.rigmesh.worker.format.ModelFormatException when a file is missing or malformed, or
  ///   the tokenizer knows tokens that the encoder does not
  public static Embedder open(Path path, Kernels kernels, Profile profile) {
    return open(path, kernels, profile, EncoderLoader.onCpu(kernels));
  }

  /// As the other one.
  ///
  /// @param encoders where the model runs
  public static Embedder open(Path path, Kernels kernels, Profile profile, EncoderLoader encoders) {
    JsonField model = JsonField.read(path.resolve("config.json"), ModelFolder.CONFIG_BYTES_MAX);
    EmbeddingConfig config;
    TokenEncoder encoder;
    if (BertConfig.isBert(model)) {
      try (BertWeights weights = BertWeights.open(path)) {
        config = EmbeddingConfig.read(path, weights.config().positionsMax());
        encoder = new BertTokenEncoder(encoders.bert(weights, profile, config.tokensMax()));
      }
    } else {
      try (LlamaWeights weights = LlamaWeights.open(path)) {
        int positionsMax = weights.config().positionsMax();
        config =
            EmbeddingConfig.read(path, positionsMax, Math.min(DECODER_TOKENS_USUAL, positionsMax));
        encoder = DecoderTokenEncoder.load(kernels, encoders, weights, profile, config.tokensMax());
      }
    }
    Tokenizer tokenizer =
        Tokenizer.openTruncating(path.resolve("tokenizer.json"), config.tokensMax());
    if (tokenizer.vocabularySize() > encoder.vocabularySize()) {
      int tokens = tokenizer.vocabularySize();
      tokenizer.close();
      throw model
          .member("vocab_size")
          .unfit("is less than the " + tokens + " tokens of tokenizer.json");
    }
    return new Embedder(config, tokenizer, encoder, kernels);
  }

  /// What the folder says on pooling, normalisation and length.
  public EmbeddingConfig config() {
    return config;
  }

  /// The length of the vectors.
  public int dimensions() {
    return encoder.hiddenSize();
  }

  /// The tokens that stand for a text: special ones included, the folder's usual prompt before it,
  /// cut to the model's length.
  public int[] tokens(String text) {
    return tokenizer.encode(config.prompt() + text, true);
  }

  /// The vectors of texts, in their order.
  public List<float[]> embed(List<String> texts) {
    List<int[]> sequences = new ArrayList<>(texts.size());
    for (String text : texts) {
      sequences.add(tokens(text));
    }
    return embedTokens(sequences);
  }

  /// The vectors of token sequences, as [#tokens] gives them.
  ///
  /// @throws IllegalArgumentException when a sequence is empty, longer than
  ///   [EmbeddingConfig#tokensMax()], or has a token that is not in the vocabulary
  public List<float[]> embedTokens(List<int[]> sequences) {
    for (int[] sequence : sequences) {
      if (sequence.length > config.tokensMax()) {
        throw new IllegalArgumentException(
            "a sequence has " + sequence.length + " tokens, at most " + config.tokensMax());
      }
    }
    List<float[]> vectors = encoder.pooled(sequences, config.pooling(), config.normalized());
    for (float[] vector : vectors) {
      kernels.checkFinite("embedding", Tensor.of(vector, vector.length));
    }
    return vectors;
  }

  @Override
  public void close() {
    tokenizer.close();
    encoder.close();
  }
}

package io.rigmesh.worker.embed;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertConfig;
import io.rigmesh.worker.bert.BertEncoder;
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

  /// Tokens of one pass: enough to keep the matrix product busy, few enough for the activations to
  /// stay in the cache.
  private static final int PASS_TOKENS = 512;

  /// How many tokens of a text a decoder reads where its folder names no length: what keys and
  /// values take grows with it, and a longer text is cut the same on every machine.
  private static final int DECODER_TOKENS_USUAL = 8192;

  /// The least length that a vector is divided by, as sentence-transformers has it.
  private static final float NORM_MIN = 1e-12f;

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
    return open(path, kernels, profile, DecoderLoader.onCpu(kernels));
  }

  /// As the other one.
  ///
  /// @param decoders where a decoder runs; BERT runs with the kernels
  public static Embedder open(Path path, Kernels kernels, Profile profile, DecoderLoader decoders) {
    JsonField model = JsonField.read(path.resolve("config.json"), ModelFolder.CONFIG_BYTES_MAX);
    EmbeddingConfig config;
    TokenEncoder encoder;
    if (model.member("model_type").text().equals("bert")) {
      try (ModelFolder folder = ModelFolder.open(path)) {
        int positionsMax = BertConfig.read(model).positionsMax();
        config = EmbeddingConfig.read(path, positionsMax);
        encoder =
            new BertTokenEncoder(
                BertEncoder.load(
                    folder, kernels, profile, Math.max(PASS_TOKENS, config.tokensMax())));
      }
    } else {
      try (LlamaWeights weights = LlamaWeights.open(path)) {
        int positionsMax = weights.config().positionsMax();
        config =
            EmbeddingConfig.read(path, positionsMax, Math.min(DECODER_TOKENS_USUAL, positionsMax));
        encoder = DecoderTokenEncoder.load(decoders, weights, profile, config.tokensMax());
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
    List<float[]> vectors = encoder.pooled(sequences, config.pooling());
    for (float[] vector : vectors) {
      if (config.normalized()) {
        normalize(vector);
      }
      kernels.checkFinite("embedding", Tensor.of(vector, vector.length));
    }
    return vectors;
  }

  /// Divides by the square root of the lane sum of squares.
  private void normalize(float[] vector) {
    float norm =
        Math.max(
            NORM_MIN,
            (float) Math.sqrt(kernels.laneSumOfSquares(Tensor.of(vector, vector.length))));
    for (int i = 0; i < vector.length; i++) {
      vector[i] /= norm;
    }
  }

  @Override
  public void close() {
    tokenizer.close();
    encoder.close();
  }
}

package io.rigmesh.worker.llama;

import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.RopeTable;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// The sizes and constants of one decoder-only model of the Llama family (Llama, Mistral, Qwen2,
/// Qwen3, SmolLM3), as Hugging Face's config.json names them in brackets. All of them are rows of
/// RMS norm, grouped rotary attention and SwiGLU; they differ in what stands here.
///
/// @param vocabularySize token ids run from 0 to this, excluded (vocab_size)
/// @param hiddenSize the length of a residual row, D (hidden_size)
/// @param layers the number of blocks, L (num_hidden_layers)
/// @param heads the number of query heads (num_attention_heads)
/// @param kvHeads the number of key and value heads, a divisor of `heads` (num_key_value_heads)
/// @param headDim the length of one head, even (head_dim)
/// @param feedForwardSize the length of a row inside the SwiGLU block, F (intermediate_size)
/// @param positionsMax the longest sequence in tokens (max_position_embeddings)
/// @param ropeTheta the base of the rotary frequencies (rope_theta)
/// @param ropeScaling what is done to those frequencies for longer texts (rope_scaling)
/// @param normEpsilon added to the mean square in every norm (rms_norm_eps)
/// @param tiedHead whether the output head is the embedding table (tie_word_embeddings)
/// @param qkvBias whether the query, key and value projections add a bias
/// @param outputBias whether the projection behind attention adds a bias
/// @param qkNorm whether every head of queries and keys goes through an RMS norm of its own, before
///   it is rotated
/// @param layerAttention what differs from layer to layer, one entry each
/// @param beginTokenId what a prompt starts with, where the model has such a token (bos_token_id)
/// @param endTokenIds the tokens that end a text, possibly none (eos_token_id)
public record LlamaConfig(
    int vocabularySize,
    int hiddenSize,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int feedForwardSize,
    int positionsMax,
    double ropeTheta,
    RopeScaling ropeScaling,
    float normEpsilon,
    boolean tiedHead,
    boolean qkvBias,
    boolean outputBias,
    boolean qkNorm,
    List<LayerAttention> layerAttention,
    OptionalInt beginTokenId,
    List<Integer> endTokenIds) {

  static final int VOCABULARY_MAX = 1 << 22;
  static final int WIDTH_MAX = 1 << 17;
  static final int LAYERS_MAX = 1024;
  static final int HEADS_MAX = 1024;
  static final int HEAD_DIM_MAX = 1024;
  static final int POSITIONS_MAX = 1 << 24;
  static final int END_TOKENS_MAX = 64;
  private static final long TENSOR_ELEMENTS_MAX = Integer.MAX_VALUE - 8;

  /// Refuses sizes that no Llama can have.
  public LlamaConfig {
    endTokenIds = List.copyOf(endTokenIds);
    layerAttention = List.copyOf(layerAttention);
    within("vocab_size", vocabularySize, VOCABULARY_MAX);
    within("hidden_size", hiddenSize, WIDTH_MAX);
    within("num_hidden_layers", layers, LAYERS_MAX);
    within("num_attention_heads", heads, HEADS_MAX);
    within("num_key_value_heads", kvHeads, HEADS_MAX);
    within("head_dim", headDim, HEAD_DIM_MAX);
    within("intermediate_size", feedForwardSize, WIDTH_MAX);
    within("max_position_embeddings", positionsMax, POSITIONS_MAX);
    require(
        heads % kvHeads == 0,
        "num_attention_heads=" + heads + " must be a multiple of num_key_value_heads=" + kvHeads);
    require(headDim % 2 == 0, "head_dim=" + headDim + " must be even: rotary pairs split it");
    require(
        ropeTheta > 1 && Double.isFinite(ropeTheta),
        "rope_theta=" + ropeTheta + " must be more than 1");
    require(
        layerAttention.size() == layers,
        "there are "
            + layerAttention.size()
            + " descriptions of attention for num_hidden_layers="
            + layers);
    require(
        normEpsilon > 0 && normEpsilon < 1,
        "rms_norm_eps=" + normEpsilon + " must lie between 0 and 1");
    long widest = Math.max(vocabularySize, Math.max(feedForwardSize, heads * headDim));
    require(
        widest * hiddenSize <= TENSOR_ELEMENTS_MAX,
        "a weight of " + widest + " x " + hiddenSize + " has more elements than an array can hold");
    beginTokenId.ifPresent(id -> token("bos_token_id", id, vocabularySize));
    for (int id : endTokenIds) {
      token("eos_token_id", id, vocabularySize);
    }
  }

  /// A Llama without biases, norms of heads, windows and scaled rotary positions.
  public LlamaConfig(
      int vocabularySize,
      int hiddenSize,
      int layers,
      int heads,
      int kvHeads,
      int headDim,
      int feedForwardSize,
      int positionsMax,
      double ropeTheta,
      float normEpsilon,
      boolean tiedHead,
      OptionalInt beginTokenId,
      List<Integer> endTokenIds) {
    this(
        vocabularySize,
        hiddenSize,
        layers,
        heads,
        kvHeads,
        headDim,
        feedForwardSize,
        positionsMax,
        ropeTheta,
        new RopeScaling.None(),
        normEpsilon,
        tiedHead,
        false,
        false,
        false,
        Collections.nCopies(Math.clamp(layers, 0, LAYERS_MAX), LayerAttention.FULL),
        beginTokenId,
        endTokenIds);
  }

  /// What keeps this from being a plain Llama, which is all that is trained here, by the field that
  /// says so; empty where nothing does.
  public Optional<String> beyondPlainLlama() {
    if (!(ropeScaling instanceof RopeScaling.None)) {
      return Optional.of("rope_scaling");
    }
    if (qkvBias || outputBias) {
      return Optional.of("attention_bias");
    }
    if (qkNorm) {
      return Optional.of("model_type, whose queries and keys are normed");
    }
    if (layerAttention.stream().anyMatch(layer -> layer.window().isPresent())) {
      return Optional.of("sliding_window");
    }
    if (layerAttention.stream().anyMatch(layer -> !layer.rotary())) {
      return Optional.of("no_rope_layers");
    }
    return Optional.empty();
  }

  /// Cosines and sines for the first so many positions, the scaling in them.
  public RopeTable ropeTable(int positions) {
    return RopeTable.of(
        ropeScaling.frequencies(headDim, ropeTheta), positions, ropeScaling.amplitude());
  }

  /// How the heads lie in query, key and value rows.
  public HeadLayout headLayout() {
    return new HeadLayout(heads, kvHeads, headDim);
  }

  /// The length of a query row.
  public int queryCols() {
    return heads * headDim;
  }

  /// The length of a key row and of a value row.
  public int keyCols() {
    return kvHeads * headDim;
  }

  /// How many numbers a model of this configuration is made of.
  public long parameterCount() {
    long attention =
        2L * hiddenSize * queryCols()
            + 2L * hiddenSize * keyCols()
            + (qkvBias ? queryCols() + 2L * keyCols() : 0)
            + (outputBias ? hiddenSize : 0)
            + (qkNorm ? 2L * headDim : 0);
    long feedForward = 3L * hiddenSize * feedForwardSize;
    long table = (long) vocabularySize * hiddenSize;
    return layers * (attention + feedForward + 2L * hiddenSize)
        + (tiedHead ? table : 2 * table)
        + hiddenSize;
  }

  private static void within(String field, int value, int max) {
    require(value >= 1 && value <= max, field + "=" + value + " must be from 1 to " + max);
  }

  private static void token(String field, int id, int vocabularySize) {
    require(
        id >= 0 && id < vocabularySize,
        field + "=" + id + " must be a token, from 0 to " + (vocabularySize - 1));
  }

  private static void require(boolean holds, String problem) {
    if (!holds) {
      throw new IllegalArgumentException("Model config: " + problem + ".");
    }
  }
}

package io.rigmesh.worker.llama;

import io.rigmesh.worker.kernels.HeadLayout;
import java.util.List;
import java.util.OptionalInt;

/// The sizes and constants of one Llama model, as Hugging Face's config.json of a LlamaForCausalLM
/// names them in brackets.
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
/// @param normEpsilon added to the mean square in every norm (rms_norm_eps)
/// @param tiedHead whether the output head is the embedding table (tie_word_embeddings)
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
    float normEpsilon,
    boolean tiedHead,
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
        ropeTheta > 0 && Double.isFinite(ropeTheta),
        "rope_theta=" + ropeTheta + " must be positive");
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
    long attention = 2L * hiddenSize * queryCols() + 2L * hiddenSize * keyCols();
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
      throw new IllegalArgumentException("Llama config: " + problem + ".");
    }
  }
}

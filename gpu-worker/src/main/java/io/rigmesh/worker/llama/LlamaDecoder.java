package io.rigmesh.worker.llama;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.AttentionSpan;
import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.PackedWeight;
import io.rigmesh.worker.kernels.RopeTable;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// A Llama that reads tokens into a [KeyValueCache] and gives their last hidden states and logits.
///
/// Every row is computed by operations whose bits depend on that row and its visible keys alone, so
/// it makes no difference how a sequence is cut into calls of [#append]: prefill and decode agree
/// to the bit (invariant I2).
///
/// Weights are packed once for the kernels given; scratch memory for `chunkRows` rows is taken once
/// and reused. Serves one thread at a time; the caches are independent of each other.
public final class LlamaDecoder {
  private final Kernels kernels;
  private final LlamaConfig config;
  private final HeadLayout layout;
  private final RopeTable rope;
  private final Tensor embedding; // (V, D)
  private final List<PackedLayer> layers;
  private final Tensor finalNorm; // (D)
  private final PackedWeight head; // (V, D)

  private final int chunkRows;
  private final Tensor residual; // (chunkRows, D)
  private final Tensor normed; // (chunkRows, D)
  private final Tensor branch; // (chunkRows, D)
  private final Tensor query; // (chunkRows, heads * headDim)
  private final Tensor mixed; // (chunkRows, heads * headDim)
  private final Tensor gate; // (chunkRows, F)
  private final Tensor up; // (chunkRows, F)

  private record Linear(PackedWeight weight, Optional<Tensor> bias) {}

  private record PackedLayer(
      LayerAttention attention,
      Tensor attentionNorm,
      Linear query,
      Linear key,
      Linear value,
      Optional<Tensor> queryNorm,
      Optional<Tensor> keyNorm,
      Linear output,
      Tensor feedForwardNorm,
      PackedWeight gate,
      PackedWeight up,
      PackedWeight down) {}

  /// @param kernels what computes; it stays the caller's to close
  /// @param weights the weights, which may be closed when the constructor has returned, and which
  ///   must not change while this decoder is used
  /// @param positionsMax the longest sequence that will be asked for, at most what the config
  ///   allows
  /// @param chunkRows how many tokens of a prompt go through the model at once; memory grows with
  ///   it, bits do not change
  public LlamaDecoder(Kernels kernels, LlamaWeights weights, int positionsMax, int chunkRows) {
    this.kernels = kernels;
    this.config = weights.config();
    if (positionsMax < 1 || positionsMax > config.positionsMax()) {
      throw new IllegalArgumentException(
          "This model has 1 to %d positions, so %d cannot be served."
              .formatted(config.positionsMax(), positionsMax));
    }
    for (LayerAttention layer : config.layerAttention()) {
      if (layer.window().isPresent() && layer.window().getAsInt() < positionsMax) {
        throw new IllegalArgumentException(
            "This model sees %d positions back in some layers, so %d cannot be served yet."
                .formatted(layer.window().getAsInt(), positionsMax));
      }
    }
    this.layout = config.headLayout();
    this.rope = config.ropeTable(positionsMax);
    this.embedding = weights.embedding().read();
    this.layers = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      layers.add(packed(config.layerAttention().get(layer), weights.layers().get(layer)));
    }
    this.finalNorm = weights.finalNorm().read();
    this.head = kernels.pack(config.tiedHead() ? embedding : weights.head().read(), Profile.F32_V1);
    this.chunkRows = Math.min(chunkRows, positionsMax);
    this.residual = Tensor.zeros(this.chunkRows, config.hiddenSize());
    this.normed = Tensor.zeros(this.chunkRows, config.hiddenSize());
    this.branch = Tensor.zeros(this.chunkRows, config.hiddenSize());
    this.query = Tensor.zeros(this.chunkRows, config.queryCols());
    this.mixed = Tensor.zeros(this.chunkRows, config.queryCols());
    this.gate = Tensor.zeros(this.chunkRows, config.feedForwardSize());
    this.up = Tensor.zeros(this.chunkRows, config.feedForwardSize());
  }

  /// As the other constructor, with weights in memory.
  public LlamaDecoder(
      Kernels kernels, LlamaParameters parameters, int positionsMax, int chunkRows) {
    this(kernels, LlamaWeights.of(parameters), positionsMax, chunkRows);
  }

  private PackedLayer packed(LayerAttention attention, LlamaWeights.Layer layer) {
    return new PackedLayer(
        attention,
        layer.attentionNorm().read(),
        linear(layer.query(), layer.queryBias()),
        linear(layer.key(), layer.keyBias()),
        linear(layer.value(), layer.valueBias()),
        layer.queryNorm().map(LlamaWeight::read),
        layer.keyNorm().map(LlamaWeight::read),
        linear(layer.output(), layer.outputBias()),
        layer.feedForwardNorm().read(),
        kernels.pack(layer.gate().read(), Profile.F32_V1),
        kernels.pack(layer.up().read(), Profile.F32_V1),
        kernels.pack(layer.down().read(), Profile.F32_V1));
  }

  private Linear linear(LlamaWeight weight, Optional<LlamaWeight> bias) {
    return new Linear(kernels.pack(weight.read(), Profile.F32_V1), bias.map(LlamaWeight::read));
  }

  private void apply(Linear linear, Tensor x, Tensor y) {
    if (linear.bias().isPresent()) {
      kernels.linear(x, linear.weight(), linear.bias().get(), y);
    } else {
      kernels.linear(x, linear.weight(), y);
    }
  }

  /// Norms every head of the rows, where the model does that.
  private void normHeads(Tensor rows, Optional<Tensor> gain) {
    if (gain.isPresent()) {
      Tensor heads = rows.reshape(rows.size() / config.headDim(), config.headDim());
      kernels.rmsNorm(heads, gain.get(), config.normEpsilon(), heads);
    }
  }

  /// The model's sizes.
  public LlamaConfig config() {
    return config;
  }

  /// The most tokens that one call of [#append] takes.
  public int chunkRows() {
    return chunkRows;
  }

  /// The longest sequence this decoder serves.
  public int positionsMax() {
    return rope.positions();
  }

  /// An empty cache for one sequence.
  public KeyValueCache cache(int positions) {
    if (positions < 1 || positions > positionsMax()) {
      throw new IllegalArgumentException(
          "A cache here has 1 to %d positions, not %d.".formatted(positionsMax(), positions));
    }
    return new KeyValueCache(config, positions);
  }

  /// Reads the next tokens of a cached sequence.
  ///
  /// @param tokens from `from` (included) to `to` (excluded), at most [#chunkRows] of them
  /// @return their last hidden states, after the final norm: shape `(to - from, D)`, valid until
  ///   the next call
  /// @throws IllegalArgumentException when they do not fit the cache, or one is outside the
  ///   vocabulary
  public Tensor append(KeyValueCache cache, int[] tokens, int from, int to) {
    int rows = to - from;
    int start = cache.positions();
    check(cache, tokens, from, to);
    int[] ids = Arrays.copyOfRange(tokens, from, to);
    int[] positions = new int[rows];
    for (int row = 0; row < rows; row++) {
      positions[row] = start + row;
    }
    List<AttentionSpan> spans = List.of(AttentionSpan.cached(0, rows, start + rows));
    Tensor x = residual.rows(0, rows);
    Tensor h = normed.rows(0, rows);
    Tensor y = branch.rows(0, rows);
    Tensor q = query.rows(0, rows);
    Tensor o = mixed.rows(0, rows);
    Tensor g = gate.rows(0, rows);
    Tensor u = up.rows(0, rows);

    kernels.embedding(embedding, ids, x);
    for (int index = 0; index < layers.size(); index++) {
      PackedLayer layer = layers.get(index);
      Tensor newKeys = cache.keys(index).rows(start, start + rows);
      kernels.rmsNorm(x, layer.attentionNorm(), config.normEpsilon(), h);
      apply(layer.query(), h, q);
      apply(layer.key(), h, newKeys);
      apply(layer.value(), h, cache.values(index).rows(start, start + rows));
      normHeads(q, layer.queryNorm());
      normHeads(newKeys, layer.keyNorm());
      if (layer.attention().rotary()) {
        kernels.rope(q, positions, rope, q);
        kernels.rope(newKeys, positions, rope, newKeys);
      }
      kernels.attention(q, cache.keys(index), cache.values(index), layout, spans, o);
      apply(layer.output(), o, y);
      kernels.add(x, y, x);

      kernels.rmsNorm(x, layer.feedForwardNorm(), config.normEpsilon(), h);
      kernels.linear(h, layer.gate(), g);
      kernels.linear(h, layer.up(), u);
      kernels.swiglu(g, u, g);
      kernels.linear(g, layer.down(), y);
      kernels.add(x, y, x);
    }
    kernels.rmsNorm(x, finalNorm, config.normEpsilon(), h);
    cache.advance(rows);
    return h;
  }

  /// Writes the logits `(rows, V)` of last hidden states `(rows, D)`.
  public void logits(Tensor hidden, Tensor logits) {
    kernels.linear(hidden, head, logits);
  }

  private void check(KeyValueCache cache, int[] tokens, int from, int to) {
    int rows = to - from;
    if (from < 0 || to > tokens.length || rows < 1 || rows > chunkRows) {
      throw new IllegalArgumentException(
          "One call reads 1 to %d tokens, not those from %d to %d of %d."
              .formatted(chunkRows, from, to, tokens.length));
    }
    if (cache.positions() + rows > cache.positionsMax()) {
      throw new IllegalArgumentException(
          "The cache holds %d of at most %d positions, so %d tokens do not fit."
              .formatted(cache.positions(), cache.positionsMax(), rows));
    }
    for (int i = from; i < to; i++) {
      if (tokens[i] < 0 || tokens[i] >= config.vocabularySize()) {
        throw new IllegalArgumentException(
            "Token %d is %d, but the vocabulary of this model runs from 0 to %d."
                .formatted(i, tokens[i], config.vocabularySize() - 1));
      }
    }
  }
}

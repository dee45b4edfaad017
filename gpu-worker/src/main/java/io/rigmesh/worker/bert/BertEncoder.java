package io.rigmesh.worker.bert;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.AttentionSpan;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// A BERT encoder: token ids to one vector per token.
///
/// Sequences of a pass are laid one after another as rows of one matrix, so nothing is ever padded,
/// and a token's bits depend on its own sequence alone (numerics.md, I2). The embedding of a token
/// is (word + type 0) + position, then the norm.
///
/// Uses the kernels of one thread at a time, and has one workspace: not safe for use by several
/// threads.
public final class BertEncoder {

  private final BertConfig config;
  private final Kernels kernels;
  private final Tensor words;
  private final Tensor positions;
  private final Tensor typeZero;
  private final BertNorm embeddingNorm;
  private final List<BertLayer> layers;
  private final BertWorkspace workspace;
  private final int rowsMax;

  /// Takes weights, which may be closed afterwards.
  ///
  /// @param profile what the linear layers compute in
  /// @param rowsMax the most tokens of one pass, at least the longest sequence; it decides the
  ///   memory, never a bit
  /// @throws io.rigmesh.worker.format.ModelFormatException when a weight is NaN or infinite
  public BertEncoder(BertWeights weights, Kernels kernels, Profile profile, int rowsMax) {
    this.config = weights.config();
    this.kernels = kernels;
    this.words = weights.words().read();
    this.positions = weights.positions().read();
    this.typeZero = weights.types().read().rows(0, 1).reshape(config.hiddenSize());
    this.embeddingNorm = BertNorm.of(weights.embeddingNorm());
    this.layers = new ArrayList<>();
    for (BertWeights.Layer layer : weights.layers()) {
      layers.add(new BertLayer(config, layer, kernels, profile));
    }
    this.rowsMax = rowsMax;
    this.workspace = new BertWorkspace(config, rowsMax);
  }

  /// The sizes.
  public BertConfig config() {
    return config;
  }

  /// The most tokens of one pass.
  public int rowsMax() {
    return rowsMax;
  }

  /// Encodes sequences in one pass.
  ///
  /// @param ids the tokens of all sequences, one after another
  /// @param lengths how many of them belong to each sequence
  /// @return the last hidden state `(T, hidden)`, its rows as the ids; valid until the next call
  /// @throws IllegalArgumentException when an id is not in the vocabulary, a sequence is empty or
  ///   longer than the model's positions, or there are more than [#rowsMax()] tokens
  public Tensor encode(int[] ids, int[] lengths) {
    config.checkPass(ids, lengths, rowsMax);
    List<AttentionSpan> spans = new ArrayList<>(lengths.length);
    int[] positionIds = new int[ids.length];
    int row = 0;
    for (int length : lengths) {
      spans.add(AttentionSpan.bidirectional(row, length, length));
      for (int i = 0; i < length; i++) {
        positionIds[row + i] = i;
      }
      row += length;
    }
    BertWorkspace.Rows rows = workspace.rows(row);
    Tensor x = rows.hidden();
    kernels.embedding(words, ids, x);
    kernels.addBias(x, typeZero, x);
    kernels.embedding(positions, positionIds, rows.query());
    kernels.add(x, rows.query(), x);
    embeddingNorm.apply(kernels, x, config.layerNormEpsilon());
    for (BertLayer layer : layers) {
      layer.apply(x, spans, rows);
    }
    return x;
  }
}

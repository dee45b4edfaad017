package io.rigmesh.worker.bert;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.format.ModelFolder;
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

  private BertEncoder(BertWeights weights, Kernels kernels, Profile profile, int rowsMax) {
    this.config = weights.config();
    this.kernels = kernels;
    this.words = weights.tensor(BertTensors.WORDS);
    this.positions = weights.tensor(BertTensors.POSITIONS);
    this.typeZero = weights.tensor(BertTensors.TYPES).rows(0, 1).reshape(config.hiddenSize());
    this.embeddingNorm = BertNorm.load(weights, BertTensors.EMBEDDING_NORM);
    this.layers = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      layers.add(new BertLayer(weights, layer, kernels, profile));
    }
    this.rowsMax = rowsMax;
    this.workspace = new BertWorkspace(config, rowsMax);
  }

  /// Takes the weights out of a folder, which may be closed afterwards.
  ///
  /// @param profile what the linear layers compute in
  /// @param rowsMax the most tokens of one pass, at least the longest sequence; it decides the
  ///   memory, never a bit
  /// @throws io.rigmesh.worker.format.ModelFormatException when the config or a weight is missing
  ///   or does not fit
  public static BertEncoder load(
      ModelFolder folder, Kernels kernels, Profile profile, int rowsMax) {
    return new BertEncoder(new BertWeights(folder), kernels, profile, rowsMax);
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
    List<AttentionSpan> spans = new ArrayList<>(lengths.length);
    int[] positionIds = new int[ids.length];
    int row = 0;
    for (int length : lengths) {
      if (length < 1 || length > config.positionsMax() || length > ids.length - row) {
        throw new IllegalArgumentException(
            "a sequence has "
                + length
                + " tokens, must have from 1 to "
                + Math.min(config.positionsMax(), ids.length - row));
      }
      spans.add(AttentionSpan.bidirectional(row, length, length));
      for (int i = 0; i < length; i++) {
        positionIds[row + i] = i;
      }
      row += length;
    }
    if (row != ids.length || row > rowsMax || row == 0) {
      throw new IllegalArgumentException(
          "there are "
              + ids.length
              + " tokens, sequences of "
              + row
              + ", and room for "
              + rowsMax
              + " in a pass");
    }
    for (int i = 0; i < row; i++) {
      if (ids[i] < 0 || ids[i] >= config.vocabularySize()) {
        throw new IllegalArgumentException(
            "token " + ids[i] + " at index " + i + " is not below " + config.vocabularySize());
      }
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

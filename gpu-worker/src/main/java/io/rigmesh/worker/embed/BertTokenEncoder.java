package io.rigmesh.worker.embed;

import io.rigmesh.worker.bert.BertEncoder;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// A [BertEncoder], whose passes take as many whole sequences as fit.
final class BertTokenEncoder implements TokenEncoder {
  private final BertEncoder encoder;

  BertTokenEncoder(BertEncoder encoder) {
    this.encoder = encoder;
  }

  @Override
  public int hiddenSize() {
    return encoder.config().hiddenSize();
  }

  @Override
  public int vocabularySize() {
    return encoder.config().vocabularySize();
  }

  @Override
  public List<float[]> pooled(List<int[]> sequences, Pooling pooling) {
    List<float[]> vectors = new ArrayList<>(sequences.size());
    int from = 0;
    while (from < sequences.size()) {
      int tokens = sequences.get(from).length;
      int to = from + 1;
      while (to < sequences.size() && tokens + sequences.get(to).length <= encoder.rowsMax()) {
        tokens += sequences.get(to).length;
        to++;
      }
      pass(sequences.subList(from, to), tokens, pooling, vectors);
      from = to;
    }
    return vectors;
  }

  private void pass(List<int[]> sequences, int tokens, Pooling pooling, List<float[]> vectors) {
    int[] ids = new int[tokens];
    int[] lengths = new int[sequences.size()];
    int filled = 0;
    for (int i = 0; i < lengths.length; i++) {
      int[] sequence = sequences.get(i);
      System.arraycopy(sequence, 0, ids, filled, sequence.length);
      lengths[i] = sequence.length;
      filled += sequence.length;
    }
    Tensor hidden = encoder.encode(ids, lengths);
    int row = 0;
    for (int length : lengths) {
      Pool pool = new Pool(pooling);
      pool.add(hidden.rows(row, row + length));
      vectors.add(pool.vector());
      row += length;
    }
  }

  /// Nothing to give back: the memory is the collector's.
  @Override
  public void close() {}
}

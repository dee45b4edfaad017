package io.rigmesh.worker.embed;

import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// A [BertRunner], whose passes take as many whole sequences as fit.
final class BertTokenEncoder implements TokenEncoder {
  private final BertRunner encoder;

  BertTokenEncoder(BertRunner encoder) {
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
  public List<float[]> pooled(List<int[]> sequences, Pooling pooling, boolean normalized) {
    List<float[]> vectors = new ArrayList<>(sequences.size());
    int from = 0;
    while (from < sequences.size()) {
      int tokens = sequences.get(from).length;
      int to = from + 1;
      while (to < sequences.size() && tokens + sequences.get(to).length <= encoder.rowsMax()) {
        tokens += sequences.get(to).length;
        to++;
      }
      Tensor pass = pass(sequences.subList(from, to), tokens, pooling, normalized);
      for (int i = 0; i < to - from; i++) {
        vectors.add(pass.rows(i, i + 1).toArray());
      }
      from = to;
    }
    return vectors;
  }

  private Tensor pass(List<int[]> sequences, int tokens, Pooling pooling, boolean normalized) {
    int[] ids = new int[tokens];
    int[] lengths = new int[sequences.size()];
    int filled = 0;
    for (int i = 0; i < lengths.length; i++) {
      int[] sequence = sequences.get(i);
      System.arraycopy(sequence, 0, ids, filled, sequence.length);
      lengths[i] = sequence.length;
      filled += sequence.length;
    }
    return encoder.pooled(ids, lengths, pooling, normalized);
  }

  @Override
  public void close() {
    encoder.close();
  }
}

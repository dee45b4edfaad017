package io.rigmesh.worker.embed;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertConfig;
import io.rigmesh.worker.bert.BertEncoder;
import io.rigmesh.worker.bert.BertWeights;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.tensor.Tensor;

/// A [BertEncoder] in the heap, and the pooling of what it gives.
public final class CpuBertRunner implements BertRunner {
  private final Kernels kernels;
  private final BertEncoder encoder;

  /// @param weights what is packed; it can be closed afterwards
  /// @param kernels what computes; it stays the caller's to close
  /// @param rowsMax the most tokens of one pass
  public CpuBertRunner(BertWeights weights, Kernels kernels, Profile profile, int rowsMax) {
    this.kernels = kernels;
    this.encoder = new BertEncoder(weights, kernels, profile, rowsMax);
  }

  @Override
  public BertConfig config() {
    return encoder.config();
  }

  @Override
  public int rowsMax() {
    return encoder.rowsMax();
  }

  @Override
  public Tensor encode(int[] ids, int[] lengths) {
    return encoder.encode(ids, lengths);
  }

  @Override
  public Tensor pooled(int[] ids, int[] lengths, Pooling pooling, boolean normalized) {
    Tensor hidden = encoder.encode(ids, lengths);
    Tensor vectors = Tensor.zeros(lengths.length, config().hiddenSize());
    int row = 0;
    for (int i = 0; i < lengths.length; i++) {
      Pool pool = new Pool(kernels, pooling, normalized);
      pool.add(hidden.rows(row, row + lengths[i]));
      float[] vector = pool.vector();
      vectors.rows(i, i + 1).copyFrom(Tensor.of(vector, 1, vector.length));
      row += lengths[i];
    }
    return vectors;
  }

  /// Nothing to give back: the memory is the collector's.
  @Override
  public void close() {}
}

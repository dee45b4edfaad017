package io.rigmesh.worker.embed;

import io.rigmesh.worker.tensor.Tensor;

/// The vector of one sequence in the making: takes the vectors of its tokens in order, in as many
/// pieces as they come.
final class Pool {
  private final Pooling pooling;
  private float[] vector = new float[0];
  private int rows;

  Pool(Pooling pooling) {
    this.pooling = pooling;
  }

  /// Adds the next tokens' vectors, `(rows, D)`.
  void add(Tensor hidden) {
    switch (pooling) {
      case MEAN -> {
        for (int row = 0; row < hidden.dim(0); row++) {
          addToSum(hidden.rows(row, row + 1));
        }
      }
      case CLS -> {
        if (rows == 0) {
          vector = hidden.rows(0, 1).toArray();
        }
      }
      case LAST_TOKEN -> vector = hidden.rows(hidden.dim(0) - 1, hidden.dim(0)).toArray();
    }
    rows += hidden.dim(0);
  }

  /// An ascending sum that starts with the first row.
  private void addToSum(Tensor row) {
    if (vector.length == 0) {
      vector = row.toArray();
      return;
    }
    float[] data = row.data();
    for (int c = 0; c < vector.length; c++) {
      vector[c] += data[row.offset() + c];
    }
  }

  /// The sequence's vector.
  float[] vector() {
    if (pooling == Pooling.MEAN) {
      for (int c = 0; c < vector.length; c++) {
        vector[c] /= rows;
      }
    }
    return vector;
  }
}

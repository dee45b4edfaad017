package io.rigmesh.worker.embed;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.tensor.Tensor;

/// The vector of one sequence in the making: takes the vectors of its tokens in order, in as many
/// pieces as they come. Its twin on a GPU is pool.cu.
public final class Pool {
  /// The least length that a vector is divided by, as sentence-transformers has it.
  private static final float LENGTH_MIN = 1e-12f;

  private final Kernels kernels;
  private final Pooling pooling;
  private final boolean normalized;
  private float[] vector = new float[0];
  private int rows;

  /// @param normalized whether the vector is scaled to length one
  public Pool(Kernels kernels, Pooling pooling, boolean normalized) {
    this.kernels = kernels;
    this.pooling = pooling;
    this.normalized = normalized;
  }

  /// Adds the next tokens' vectors, `(rows, D)`.
  public void add(Tensor hidden) {
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
  public float[] vector() {
    if (pooling == Pooling.MEAN) {
      for (int c = 0; c < vector.length; c++) {
        vector[c] /= rows;
      }
    }
    if (normalized) {
      normalize();
    }
    return vector;
  }

  /// Divides by the square root of the lane sum of squares.
  private void normalize() {
    float squares = kernels.laneSumOfSquares(Tensor.of(vector, vector.length));
    float length = Math.max(LENGTH_MIN, (float) Math.sqrt(squares));
    for (int c = 0; c < vector.length; c++) {
      vector[c] /= length;
    }
  }
}

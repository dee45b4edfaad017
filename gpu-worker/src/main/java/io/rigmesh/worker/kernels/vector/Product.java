package io.rigmesh.worker.kernels.vector;

/// A matrix product whose pieces threads may compute on their own.
sealed interface Product permits MatrixProduct, ColumnProduct {
  /// The number of rows of the result.
  int rows();

  /// The number of columns of the result.
  int cols();

  /// The array that receives the result.
  float[] c();

  /// Where in it the result begins.
  int cp();

  /// How far apart the result's rows lie.
  int ldc();

  /// Computes the rows `rowFrom` to `rowTo` of the panels `panelFrom` to `panelTo`, the ends
  /// excluded; `rowFrom` is a multiple of [Tiles#ROWS], and `scratch` holds [#scratchLength]
  /// floats.
  void compute(int rowFrom, int rowTo, int panelFrom, int panelTo, float[] scratch);

  /// The panels that all columns take, the last perhaps not full.
  default int panels() {
    return Panels.count(cols());
  }

  /// How many floats of scratch a call of [#compute] needs.
  static int scratchLength() {
    return Tiles.ROWS * Tiles.PANEL;
  }
}

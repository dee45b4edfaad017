package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Tiles.PANEL;

import java.util.Arrays;

/// Brings the right-hand side of a matrix product into panels of [Tiles#PANEL] columns: panel p,
/// element (k, j) at `(p * depth + k) * PANEL + j`. The missing columns of the last panel are +0.
final class Panels {
  private Panels() {}

  /// How many panels hold `cols` columns.
  static int count(int cols) {
    return (cols + PANEL - 1) / PANEL;
  }

  /// How many floats the panels of a `(depth, cols)` matrix take.
  static int length(int depth, int cols) {
    return Math.multiplyExact(Math.multiplyExact(count(cols), PANEL), depth);
  }

  /// Panel `panel` of a matrix whose columns are the rows of `source`, shape `(cols, depth)` with
  /// rows `stride` apart.
  static void fromColumns(
      float[] source,
      int offset,
      int stride,
      int depth,
      int cols,
      int panel,
      float[] panels,
      int at,
      float[] scratch) {
    int first = panel * PANEL;
    int width = Math.min(PANEL, cols - first);
    int to = at + panel * depth * PANEL;
    if (width < PANEL) {
      Arrays.fill(panels, to, to + depth * PANEL, 0f);
    }
    Transpose.copy(
        source, offset + first * stride, stride, width, depth, panels, to, PANEL, scratch);
  }

  /// Panel `panel` of a matrix whose rows are the rows of `source`, shape `(depth, cols)` with rows
  /// `stride` apart.
  static void fromRows(
      float[] source,
      int offset,
      int stride,
      int depth,
      int cols,
      int panel,
      float[] panels,
      int at) {
    int first = panel * PANEL;
    int width = Math.min(PANEL, cols - first);
    int to = at + panel * depth * PANEL;
    for (int k = 0; k < depth; k++) {
      System.arraycopy(source, offset + k * stride + first, panels, to + k * PANEL, width);
      Arrays.fill(panels, to + k * PANEL + width, to + (k + 1) * PANEL, 0f);
    }
  }
}

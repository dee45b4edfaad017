package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Lanes.FLOATS;
import static io.rigmesh.worker.kernels.vector.Lanes.INTS;
import static io.rigmesh.worker.kernels.vector.Lanes.WIDTH;
import static io.rigmesh.worker.kernels.vector.Tiles.PANEL;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// C = A · B of profile i8-v1: A in rows of quantised elements, B in panels of bytes (see
/// [ByteTiles] and [ByteWeight]), C row-major `(rows, weight.out())`. The exact int32 sum of an
/// element becomes a float and is multiplied by the product of its row's and its column's scale.
///
/// @param x holds the rows of A, `weight.depth()` apart, each element in both halves of an int
/// @param scales the scale of each row of A
/// @param weight B
/// @param c receives C from `cp` on
// A loop's operands, never compared: the arrays are the point.
@SuppressWarnings("ArrayRecordComponent")
record ByteProduct(int[] x, float[] scales, ByteWeight weight, float[] c, int cp) {
  /// What a thread needs for itself.
  static final class Scratch {
    private final short[] low = new short[ByteTiles.ROWS * PANEL];
    private final short[] high = new short[ByteTiles.ROWS * PANEL];
    private final int[] sums = new int[ByteTiles.ROWS * PANEL];
    private final float[] row = new float[PANEL];
  }

  /// Computes the rows `rowFrom` to `rowTo` of the panels `panelFrom` to `panelTo`, the ends
  /// excluded.
  void compute(int rowFrom, int rowTo, int panelFrom, int panelTo, Scratch scratch) {
    for (int panel = panelFrom; panel < panelTo; panel++) {
      int row = rowFrom;
      while (row < rowTo) {
        int left = rowTo - row;
        int height = left >= ByteTiles.ROWS ? ByteTiles.ROWS : left >= 4 ? 4 : 1;
        tile(row, height, panel, scratch);
        row += height;
      }
    }
  }

  private void tile(int row, int height, int panel, Scratch scratch) {
    int depth = weight.depth();
    byte[] w = weight.panels();
    for (int k = 0; k < depth; k += ByteTiles.DEPTH) {
      int length = Math.min(ByteTiles.DEPTH, depth - k);
      int wp = (panel * depth + k) * PANEL;
      int xp = row * depth + k;
      switch (height) {
        case 8 -> ByteTiles.rows8(w, wp, x, xp, depth, length, scratch.low, scratch.high);
        case 4 -> ByteTiles.rows4(w, wp, x, xp, depth, length, scratch.low, scratch.high);
        default -> ByteTiles.rows1(w, wp, x, xp, length, scratch.low, scratch.high);
      }
      ByteTiles.finish(scratch.low, scratch.high, height, scratch.sums, k == 0);
    }
    int col = panel * PANEL;
    int width = Math.min(PANEL, weight.out() - col);
    for (int i = 0; i < height; i++) {
      int at = cp + (row + i) * weight.out() + col;
      if (width == PANEL) {
        scaled(scratch.sums, i * PANEL, scales[row + i], col, c, at);
      } else {
        scaled(scratch.sums, i * PANEL, scales[row + i], col, scratch.row, 0);
        System.arraycopy(scratch.row, 0, c, at, width);
      }
    }
  }

  private void scaled(int[] sums, int from, float scale, int col, float[] target, int at) {
    for (int j = 0; j < PANEL; j += WIDTH) {
      FloatVector both = FloatVector.fromArray(FLOATS, weight.scales(), col + j).mul(scale);
      IntVector.fromArray(INTS, sums, from + j)
          .convertShape(VectorOperators.I2F, FLOATS, 0)
          .reinterpretAsFloats()
          .mul(both)
          .intoArray(target, at + j);
    }
  }
}

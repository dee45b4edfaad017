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
    private final float[] row = new float[PANEL];
    private int[] sums = {};
  }

  /// Computes the rows `rowFrom` to `rowTo` of the panels `panelFrom` to `panelTo`, the ends
  /// excluded: for each block of the depth all of them, so that the block of x stays in the nearest
  /// cache and that of the weight in the next.
  void compute(int rowFrom, int rowTo, int panelFrom, int panelTo, Scratch scratch) {
    int width = (panelTo - panelFrom) * PANEL;
    int rows = rowTo - rowFrom;
    if (scratch.sums.length < rows * width) {
      scratch.sums = new int[rows * width];
    }
    for (int k = 0; k < weight.depth(); k += ByteTiles.DEPTH) {
      int row = rowFrom;
      while (row < rowTo) {
        int left = rowTo - row;
        int height = left >= ByteTiles.ROWS ? ByteTiles.ROWS : left >= 4 ? 4 : 1;
        int at = (row - rowFrom) * width;
        if (height == 1) {
          row1(row, k, panelFrom, panelTo, at, scratch);
        } else {
          rows(row, height, k, panelFrom, panelTo, at, width, scratch);
        }
        row += height;
      }
    }
    for (int row = rowFrom; row < rowTo; row++) {
      for (int panel = panelFrom; panel < panelTo; panel++) {
        int from = (row - rowFrom) * width + (panel - panelFrom) * PANEL;
        store(row, panel, from, scratch);
      }
    }
  }

  private void rows(
      int row, int height, int k, int panelFrom, int panelTo, int at, int width, Scratch scratch) {
    int depth = weight.depth();
    byte[] w = weight.panels();
    int length = Math.min(ByteTiles.DEPTH, depth - k);
    int xp = row * depth + k;
    for (int panel = panelFrom; panel < panelTo; panel++) {
      int wp = (panel * depth + k) * PANEL;
      if (height == 8) {
        ByteTiles.rows8(w, wp, x, xp, depth, length, scratch.low, scratch.high);
      } else {
        ByteTiles.rows4(w, wp, x, xp, depth, length, scratch.low, scratch.high);
      }
      int to = at + (panel - panelFrom) * PANEL;
      ByteTiles.finish(scratch.low, scratch.high, height, scratch.sums, to, width, k == 0);
    }
  }

  private void row1(int row, int k, int panelFrom, int panelTo, int at, Scratch scratch) {
    int depth = weight.depth();
    byte[] w = weight.panels();
    int length = Math.min(ByteTiles.DEPTH, depth - k);
    int xp = row * depth + k;
    int panel = panelFrom;
    while (panel < panelTo) {
      int wp = (panel * depth + k) * PANEL;
      int count = panelTo - panel >= 4 ? 4 : 1;
      if (count == 4) {
        ByteTiles.row1Panels4(w, wp, depth * PANEL, x, xp, length, scratch.low, scratch.high);
      } else {
        ByteTiles.rows1(w, wp, x, xp, length, scratch.low, scratch.high);
      }
      int to = at + (panel - panelFrom) * PANEL;
      ByteTiles.finish(scratch.low, scratch.high, count, scratch.sums, to, PANEL, k == 0);
      panel += count;
    }
  }

  /// Scales the sums of one row and panel, which begin at `from`, and writes them to C.
  private void store(int row, int panel, int from, Scratch scratch) {
    int col = panel * PANEL;
    int at = cp + row * weight.out() + col;
    int width = Math.min(PANEL, weight.out() - col);
    float[] target = width == PANEL ? c : scratch.row;
    int to = width == PANEL ? at : 0;
    for (int j = 0; j < PANEL; j += WIDTH) {
      FloatVector scale = FloatVector.fromArray(FLOATS, weight.scales(), col + j).mul(scales[row]);
      IntVector.fromArray(INTS, scratch.sums, from + j)
          .convertShape(VectorOperators.I2F, FLOATS, 0)
          .reinterpretAsFloats()
          .mul(scale)
          .intoArray(target, to + j);
    }
    if (width < PANEL) {
      System.arraycopy(scratch.row, 0, c, at, width);
    }
  }
}

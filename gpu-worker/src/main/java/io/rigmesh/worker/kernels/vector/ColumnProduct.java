package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Tiles.PANEL;
import static io.rigmesh.worker.kernels.vector.Tiles.ROWS;

/// As [MatrixProduct], for an A whose rows lie side by side: tiles of [Tiles#ROWS] rows begin
/// `tileStep` apart, and within one the element (i, k) lies at `k * step + i`. Where the last tile
/// is not full, what lies behind its rows is read and must be finite, but reaches no result.
///
/// @param a holds A from `ap` on
/// @param step how far apart one row's elements lie
/// @param tileStep how far apart tiles lie
/// @param rows the number of rows of A and C
/// @param b holds the panels from `bp` on
/// @param panelDepth how many k a panel of B holds, at least `depth`
/// @param depth the length of every sum
/// @param cols the number of columns of C
/// @param block the length of a block
/// @param c receives C from `cp` on, rows `ldc` apart
@SuppressWarnings("ArrayRecordComponent")
record ColumnProduct(
    float[] a,
    int ap,
    int step,
    int tileStep,
    int rows,
    float[] b,
    int bp,
    int panelDepth,
    int depth,
    int cols,
    int block,
    float[] c,
    int cp,
    int ldc)
    implements Product {

  @Override
  public void compute(int rowFrom, int rowTo, int panelFrom, int panelTo, float[] scratch) {
    int full = Math.min(panelTo, cols / PANEL);
    int whole = rowTo - (rowTo - rowFrom) % ROWS;
    for (int start = 0; start < depth; start += block) {
      for (int row = rowFrom; row < whole; row += ROWS) {
        for (int panel = panelFrom; panel < full; panel++) {
          tile(row, panel, start, c, cp + row * ldc + panel * PANEL, ldc);
        }
      }
    }
    for (int panel = panelFrom; panel < panelTo; panel++) {
      // Tiles of which only a part is wanted.
      for (int part = panel < full ? whole : rowFrom; part < rowTo; part += ROWS) {
        for (int start = 0; start < depth; start += block) {
          tile(part, panel, start, scratch, 0, PANEL);
        }
        int width = Math.min(PANEL, cols - panel * PANEL);
        for (int i = 0; i < Math.min(ROWS, rowTo - part); i++) {
          System.arraycopy(scratch, i * PANEL, c, cp + (part + i) * ldc + panel * PANEL, width);
        }
      }
    }
  }

  private void tile(int row, int panel, int start, float[] target, int at, int stride) {
    int length = Math.min(block, depth - start);
    int aAt = ap + row / ROWS * tileStep + start * step;
    int bAt = bp + (panel * panelDepth + start) * PANEL;
    if (ROWS == 8) {
      ColumnTiles.columns8(a, aAt, step, b, bAt, length, target, at, stride, start == 0);
    } else {
      ColumnTiles.columns4(a, aAt, step, b, bAt, length, target, at, stride, start == 0);
    }
  }

  /// Copies the rows of one tile, columns `tile * ROWS` and on of `source` `(depth, cols)`, behind
  /// one another: step ROWS, with +0 for rows beyond `cols`.
  static void pack(float[] source, int offset, int depth, int cols, int tile, float[] target) {
    int first = tile * ROWS;
    int width = Math.min(ROWS, cols - first);
    int to = first * depth;
    if (width == ROWS) {
      for (int k = 0; k < depth; k++) {
        int from = offset + k * cols + first;
        for (int i = 0; i < ROWS; i++) {
          target[to + k * ROWS + i] = source[from + i];
        }
      }
      return;
    }
    for (int k = 0; k < depth; k++) {
      for (int i = 0; i < ROWS; i++) {
        target[to + k * ROWS + i] = i < width ? source[offset + k * cols + first + i] : 0f;
      }
    }
  }
}

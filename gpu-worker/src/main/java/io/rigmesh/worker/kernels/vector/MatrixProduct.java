package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Tiles.PANEL;

/// C = A · B in the block order: A row-major `(rows, depth)`, B in panels (see [Tiles] and
/// [Panels]), C row-major `(rows, cols)`. Every element is its own sum: blocks of `block` along the
/// depth, one ascending fma chain from +0 in each, added in ascending order to the first.
///
/// @param a holds A from `ap` on, rows `lda` apart
/// @param rows the number of rows of A and C
/// @param b holds the panels from `bp` on
/// @param panelDepth how many k a panel of B holds, at least `depth`
/// @param depth the length of every sum
/// @param cols the number of columns of C
/// @param block the length of a block
/// @param c receives C from `cp` on, rows `ldc` apart
// A loop's operands, never compared: the arrays are the point.
@SuppressWarnings("ArrayRecordComponent")
record MatrixProduct(
    float[] a,
    int ap,
    int lda,
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
    for (int start = 0; start < depth; start += block) {
      int length = Math.min(block, depth - start);
      int row = rowFrom;
      if (Tiles.ROWS == 8) {
        for (; row + 8 <= rowTo; row += 8) {
          tiles8(row, panelFrom, full, start, length);
        }
      }
      for (; row + 4 <= rowTo; row += 4) {
        tiles4(row, panelFrom, full, start, length);
      }
      for (; row < rowTo; row++) {
        tiles1(row, panelFrom, full, start, length);
      }
    }
    if (panelTo > full) {
      lastPanel(rowFrom, rowTo, full, scratch);
    }
  }

  private void tiles8(int row, int panelFrom, int panelTo, int start, int length) {
    for (int panel = panelFrom; panel < panelTo; panel++) {
      Tiles.rows8(
          a,
          aAt(row, start),
          lda,
          b,
          bAt(panel, start),
          length,
          c,
          cAt(row, panel),
          ldc,
          start == 0);
    }
  }

  private void tiles4(int row, int panelFrom, int panelTo, int start, int length) {
    for (int panel = panelFrom; panel < panelTo; panel++) {
      Tiles.rows4(
          a,
          aAt(row, start),
          lda,
          b,
          bAt(panel, start),
          length,
          c,
          cAt(row, panel),
          ldc,
          start == 0);
    }
  }

  private void tiles1(int row, int panelFrom, int panelTo, int start, int length) {
    int panel = panelFrom;
    for (; panel + 4 <= panelTo; panel += 4) {
      Tiles.row1Panels4(
          a,
          aAt(row, start),
          b,
          bAt(panel, start),
          panelDepth * PANEL,
          length,
          c,
          cAt(row, panel),
          start == 0);
    }
    for (; panel < panelTo; panel++) {
      Tiles.row1(a, aAt(row, start), b, bAt(panel, start), length, c, cAt(row, panel), start == 0);
    }
  }

  /// The columns of a panel that is not full are computed in scratch and copied.
  private void lastPanel(int rowFrom, int rowTo, int panel, float[] scratch) {
    int width = cols - panel * PANEL;
    int row = rowFrom;
    while (row < rowTo) {
      int height = rowTo - row >= Tiles.ROWS ? Tiles.ROWS : rowTo - row >= 4 ? 4 : 1;
      for (int start = 0; start < depth; start += block) {
        int length = Math.min(block, depth - start);
        boolean first = start == 0;
        int aAt = aAt(row, start);
        int bAt = bAt(panel, start);
        if (height == 8) {
          Tiles.rows8(a, aAt, lda, b, bAt, length, scratch, 0, PANEL, first);
        } else if (height == 4) {
          Tiles.rows4(a, aAt, lda, b, bAt, length, scratch, 0, PANEL, first);
        } else {
          Tiles.row1(a, aAt, b, bAt, length, scratch, 0, first);
        }
      }
      for (int i = 0; i < height; i++) {
        System.arraycopy(scratch, i * PANEL, c, cAt(row + i, panel), width);
      }
      row += height;
    }
  }

  private int aAt(int row, int start) {
    return ap + row * lda + start;
  }

  private int bAt(int panel, int start) {
    return bp + (panel * panelDepth + start) * PANEL;
  }

  private int cAt(int row, int panel) {
    return cp + row * ldc + panel * PANEL;
  }
}
